import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { GroupMemberBatchBody, GroupMemberBatchResult } from '../../api/group-member-schemas.ts'
import type { Reply } from '../api-client.ts'
import { addMembers } from './add-members.ts'
import { Ledger } from './ledger.ts'
import { RandomIds } from './random-ids.ts'
import { emptyTally } from './send-batches.ts'

const ANSWERED = { kind: 'answered', status: 200, etag: undefined, text: '' } as const
const PROBLEM = { type: 'about:blank', requestId: 'r', title: '' } as const

/** Adds five members to each of four groups, of which the third was not created. */
async function run(refusals: Readonly<Record<string, 'group_not_found' | 'overloaded'>>) {
  const groups = new Ledger(4)
  for (const number of [0, 1, 3]) groups.make(number, 'made')
  const tally = emptyTally(20)
  const asked: string[] = []
  const refused = new Map(Object.entries(refusals))
  const client = {
    async batchGroupMembers(
      groupId: string,
      { add = [] }: GroupMemberBatchBody,
    ): Promise<Reply<GroupMemberBatchResult>> {
      asked.push(`${groupId}: ${add.map(({ memberId }) => memberId).join(' ')}`)
      const results = add.map(({ memberId }) => {
        const code = refused.get(memberId)
        if (code === undefined) return { memberId, status: 201, etag: `"1-${memberId}"` }
        if (code === 'overloaded') refused.delete(memberId)
        const status = code === 'overloaded' ? 503 : 404
        const outcome = code === 'overloaded' ? ('not_applied' as const) : undefined
        return { memberId, status, problem: { ...PROBLEM, status, code, ...(outcome && { outcome }) } }
      })
      return { ...ANSWERED, value: { add: results, remove: [] } }
    },
  }
  const plan = {
    membersEach: 5,
    groupIdOf: (number: number) => `g${number}`,
    memberIdOf: (number: number) => `m${number}`,
  }
  const signal = new AbortController().signal
  const onProgress = () => undefined
  await addMembers({ client, plan, groups, batchSize: 3, concurrency: 1, signal, onProgress }, tally)
  return { tally, asked }
}

test('each group that was created gets its own members, in batches of one group', async () => {
  const { tally, asked } = await run({})
  const expected = [
    'g0: m0 m1 m2',
    'g0: m3 m4',
    'g1: m5 m6 m7',
    'g1: m8 m9',
    'g3: m15 m16 m17',
    'g3: m18 m19',
  ]
  assert.deepEqual(asked, expected)
  assert.deepEqual([tally.ledger.madeCount, tally.ledger.unknownCount], [15, 0])
  assert.ok(tally.ledger.isMadeAs(16, '"1-m16"') && !tally.ledger.isMadeAs(16, '"2-m16"'))
  assert.ok(!tally.ledger.isMade(10), 'the third group was not created')
})

test('members that are refused are counted, and those for which there was no time are sent again', async () => {
  const { tally, asked } = await run({ m1: 'overloaded', m16: 'group_not_found' })
  assert.deepEqual(asked.slice(0, 2), ['g0: m0 m1 m2', 'g0: m1'])
  assert.equal(tally.ledger.madeCount, 14)
  assert.deepEqual([...tally.failures], [['404 group_not_found', 1]])
})

test('random ids are UUIDs, and no two are equal', () => {
  const ids = new RandomIds(1_000)
  const all = Array.from({ length: 1_000 }, (_, number) => ids.idOf(number))
  assert.equal(new Set(all).size, 1_000)
  for (const id of all) assert.match(id, /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/)
})
