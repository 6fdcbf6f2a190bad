import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Group } from '../../group/group.ts'
import { emptyTally, sendGroups } from './send-groups.ts'

const group = (groupId: string, description = ''): Group => ({ groupId, description }) as unknown as Group

/** A restore of these groups into a cluster that answers when the test says so. */
function aRestore(groups: readonly Group[]) {
  const pages: string[][] = []
  const answers: ((reply: object) => void)[] = []
  const abort = new AbortController()
  const tally = emptyTally()
  let isOver = false
  const client = {
    restore: (page: readonly Group[]) => {
      pages.push(page.map(({ groupId }) => groupId))
      return new Promise<never>((resolve) => void answers.push(resolve as (reply: object) => void))
    },
  }
  const patience = { patienceMs: 0, pauseMs: 0, nowMs: () => 0, signal: abort.signal }
  const sent = sendGroups(
    {
      client,
      groups: (async function* () {
        yield* groups
      })(),
      patience,
      onProgress: () => undefined,
    },
    tally,
  ).then(() => {
    isOver = true
  })
  const answer = async (index: number, reply: object = RESTORED) => {
    answers[index]!(reply)
    await turn()
  }
  return { pages, abort, tally, sent, answer, isOver: () => isOver }
}

const RESTORED = { kind: 'answered', value: { restored: 1, unchanged: 0, conflicts: ['x'] } }
const turn = () => new Promise((resolve) => setImmediate(resolve))
const many = (count: number) => Array.from({ length: count }, (_, number) => group(`g${number}`))

test('groups are sent in pages of at most 128, four pages at a time, and the next when one is answered', async () => {
  const { pages, tally, sent, answer, isOver } = aRestore(many(700))
  await turn()
  assert.deepEqual(
    pages.map(({ length }) => length),
    [128, 128, 128, 128],
  )
  await answer(2)
  assert.equal(pages.length, 5)
  for (const index of [0, 1, 3, 4]) await answer(index)
  assert.equal(isOver(), false, 'the last page is waited for')
  await answer(5)
  await sent
  assert.equal(pages.flat().length, 700)
  assert.deepEqual([tally.restored, tally.conflicts.length, tally.failure], [6, 6, undefined])
})

test('a page with large groups ends at 256 KiB', async () => {
  const { pages, answer, sent } = aRestore(many(5).map(({ groupId }) => group(groupId, 'x'.repeat(150_000))))
  await turn()
  assert.deepEqual(
    pages.map((page) => page.join(' ')),
    ['g0 g1', 'g2 g3', 'g4'],
  )
  for (const index of [0, 1, 2]) await answer(index)
  await sent
})

for (const [what, stop] of [
  ['a page that fails', ({ answer }) => answer(0, { kind: 'unreachable', reason: 'gone' })],
  [
    'an interrupt',
    async ({ abort, answer }) => {
      abort.abort()
      await answer(0)
    },
  ],
] as readonly (readonly [string, (it: ReturnType<typeof aRestore>) => Promise<void>])[]) {
  test(`after ${what} no page is sent, and those under way are waited for`, async () => {
    const it = aRestore(many(2_000))
    await turn()
    await stop(it)
    for (const index of [1, 2]) await it.answer(index)
    assert.equal(it.isOver(), false)
    await it.answer(3)
    await it.sent
    assert.equal(it.pages.length, 4)
  })
}
