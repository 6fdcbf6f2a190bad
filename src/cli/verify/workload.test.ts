/**
 * The clients against a group service in memory, which runs the real commands: a correct one, and some that
 * give wrong answers.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createGroup } from '../../group/create-group.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import { etagOf, parseEtagCondition } from '../../group/etag.ts'
import type { Command, Group } from '../../group/group.ts'
import type { GroupMember, GroupMemberCommand } from '../../group/group-member.ts'
import { putGroupMember, removeGroupMember } from '../../group/put-group-member.ts'
import { updateGroup } from '../../group/update-group.ts'
import { AUTHOR } from '../../testing/author.ts'
import type { GroupView, Reply } from '../api-client.ts'
import type { Judgement } from './judge-history.ts'
import { VerifyTally } from './verify-tally.ts'
import { type Link, Workload } from './workload.ts'

const STATUS = {
  group_exists: 409,
  group_not_found: 404,
  group_member_not_found: 404,
  version_mismatch: 412,
  precondition_failed: 412,
  too_many_labels: 400,
  idempotency_key_reused: 422,
  unavailable: 503,
} as const

/**
 * The faults of a service. Each function is called for each request and may change its result.
 */
type Lies = Readonly<{
  /** The state that a read returns, from all states that the key has had, the newest last. */
  read?: (states: readonly (Group | undefined)[]) => Group | undefined
  /** The fate of a change: `broken` has happened, `lost` has not, and neither is answered. */
  fate?: () => 'answered' | 'forgotten' | 'denied' | 'broken' | 'lost'
  /** The state of a member that a check returns, from all states in this life of the group, newest last. */
  check?: (states: readonly (GroupMember | undefined)[]) => GroupMember | undefined
  /** Whether a change of a member lands in the life before the one that the group has. */
  isLate?: () => boolean
  /** Whether members belong to the id of their group instead of its life. */
  keepsMembers?: boolean
}>

type ShownMember = GroupMember & Readonly<{ groupId: string }>

const BROKEN = { kind: 'broken', reason: 'the connection broke before the answer' } as const

function serviceOf({
  read,
  fate: fateOf = () => 'answered',
  check = (states) => states.at(-1),
  isLate = () => false,
  keepsMembers = false,
}: Lies): Link['client'] {
  const keys = new Map<string, (Group | undefined)[]>()
  const now = new Date(0).toISOString()
  let incarnations = 0
  const statesOf = (key: string) => keys.getOrInsertComputed(key, () => [undefined])
  // Each request takes a turn to arrive and a turn to be answered, so that clients overlap.
  const change = async (key: string, command: Command): Promise<Reply<GroupView>> => {
    await null
    const states = statesOf(key)
    const decision = command(states.at(-1))
    if (decision.kind === 'refused') return problem(decision.refusal)
    const fate = fateOf()
    if (decision.kind === 'changed' && fate !== 'forgotten' && fate !== 'lost') states.push(decision.group)
    await null
    if (fate === 'denied') return problem('unavailable')
    return fate === 'broken' || fate === 'lost' ? BROKEN : shown(decision.answer)
  }
  const members = new Map<string, (GroupMember | undefined)[]>()
  const lives = new Map<string, string[]>()
  const statesOfMember = (key: string, memberId: string) => {
    const group = statesOf(key).at(-1)
    if (group === undefined) return undefined
    const known = lives.getOrInsertComputed(key, () => [])
    if (known.at(-1) !== group.incarnation) known.push(group.incarnation)
    const life = keepsMembers ? 'any' : known.at(isLate() ? -2 : -1)
    return members.getOrInsertComputed(`${key} ${life} ${memberId}`, () => [undefined])
  }
  const changeMember = async (
    key: string,
    memberId: string,
    command: GroupMemberCommand,
  ): Promise<Reply<ShownMember>> => {
    await null
    const states = statesOfMember(key, memberId)
    if (states === undefined) return problem('group_not_found')
    const { decision, next } = command(states.at(-1))
    if (next !== undefined) states.push(next.member)
    await null
    if (decision.kind === 'refused') return problem(decision.refusal)
    return shownMember(key, decision.answer, decision.kind === 'added' ? 201 : 200)
  }
  const conditionOf = (ifMatch: string | undefined) =>
    ifMatch === undefined ? undefined : parseEtagCondition(ifMatch)
  return {
    async get(key) {
      await null
      const states = statesOf(key)
      const group = read === undefined ? states.at(-1) : read(states)
      await null
      return group === undefined ? problem('group_not_found') : shown(group)
    },
    create({ groupId, description, labels }) {
      incarnations += 1
      return change(
        groupId,
        createGroup({ groupId, description, labels, now, author: AUTHOR, incarnation: `${incarnations}` }),
      )
    },
    update: (key, patch, ifMatch) =>
      change(key, updateGroup({ patch, ifMatch: conditionOf(ifMatch), now, author: AUTHOR })),
    delete: (key, ifMatch) => change(key, deleteGroup({ ifMatch: conditionOf(ifMatch) })),
    async getGroupMember(key, memberId) {
      await null
      const states = statesOfMember(key, memberId)
      if (states === undefined) return problem('group_not_found')
      const member = check(states)
      await null
      return member === undefined ? problem('group_member_not_found') : shownMember(key, member, 200)
    },
    putGroupMember(key, memberId, { role, isNew = false }) {
      incarnations += 1
      const condition = isNew ? { ifNoneMatch: '*' as const } : {}
      const command = putGroupMember({
        author: AUTHOR,
        memberId,
        role,
        now,
        incarnation: `${incarnations}`,
        ...condition,
      })
      return changeMember(key, memberId, command)
    },
    removeGroupMember: (key, memberId) => changeMember(key, memberId, removeGroupMember({})),
  }
}

function shown(group: Group): Reply<GroupView> {
  return { kind: 'answered', status: 200, etag: etagOf(group), value: group, text: '' }
}

function shownMember(groupId: string, member: GroupMember, status: number): Reply<ShownMember> {
  return { kind: 'answered', status, etag: etagOf(member), value: { groupId, ...member }, text: '' }
}

function problem(code: keyof typeof STATUS): Extract<Reply<never>, { kind: 'problem' }> {
  const outcome = code === 'unavailable' ? 'not_applied' : undefined
  const fields = { status: STATUS[code], code, title: '', detail: undefined, outcome, errors: [] }
  return { kind: 'problem', problem: fields, text: '' }
}

/** Runs 16 clients for this many operations. Returns the verdicts about the keys. */
async function run(
  lies: Lies,
  operations = 6_000,
): Promise<Readonly<{ judgements: Judgement[]; tally: VerifyTally }>> {
  const controller = new AbortController()
  const tally = new VerifyTally()
  const judgements: Judgement[] = []
  const client = serviceOf(lies)
  const draws = fc.sample(fc.noBias(fc.nat(2 ** 30 - 1)), { seed: 5, numRuns: operations * 8 })
  const workload = new Workload({
    links: [
      { url: 'http://a', client },
      { url: 'http://b', client },
    ],
    clients: 16,
    hasMembers: true,
    prefix: 'p/',
    signal: controller.signal,
    random: () => draws.pop()! / 2 ** 30,
    nowMs: () => 0,
    pauseMs: 0,
    tally,
    onOperation: () => {
      if (tally.total >= operations) controller.abort()
    },
    onJudged: (_history, judgement) => judgements.push(judgement),
  })
  await workload.run()
  await workload.finish()
  return { judgements, tally }
}

function isViolated({ judgements }: Readonly<{ judgements: readonly Judgement[] }>): boolean {
  return judgements.some(({ kind }) => kind === 'violated')
}

/** True once in a while, but not at first. */
function onceIn(count: number): () => boolean {
  let calls = 0
  return () => {
    calls += 1
    return calls % count === 0
  }
}

test('a correct service is linearizable for every key, and the run has answers of every kind', async () => {
  const { judgements, tally } = await run({})
  assert.ok(judgements.length >= 15, `${judgements.length} keys`)
  assert.deepEqual(new Set(judgements.map(({ kind }) => kind)), new Set(['linearizable']))
  for (const kind of ['create', 'update', 'delete'] as const) {
    assert.ok(tally.count(kind, 'done') > 50 && tally.count(kind, 'refused') > 50, kind)
  }
  for (const kind of ['add', 'put', 'remove'] as const)
    assert.ok(tally.count(kind, 'done') > 50 && tally.countAll(kind) > 200, kind)
  assert.ok(tally.count('read', 'done') > 500 && tally.count('check', 'done') > 200)
})

test('one stale read in a hundred is found', async () => {
  const isStale = onceIn(100)
  assert.ok(isViolated(await run({ read: (states) => states.at(isStale() ? -3 : -1) })))
})

test('one lost write in a hundred is found', async () => {
  const isForgotten = onceIn(100)
  assert.ok(isViolated(await run({ fate: () => (isForgotten() ? 'forgotten' : 'answered') })))
})

test('a change that happens although it was answered as not applied is found', async () => {
  const isDenied = onceIn(50)
  assert.ok(isViolated(await run({ fate: () => (isDenied() ? 'denied' : 'answered') })))
})

test('changes whose answers are lost are no violation, whether they have happened or not', async () => {
  const [isBroken, isLost] = [onceIn(40), onceIn(30)]
  const { judgements, tally } = await run({
    fate: () => (isBroken() ? 'broken' : isLost() ? 'lost' : 'answered'),
  })
  assert.ok(tally.sum('unknown') > 20, `${tally.sum('unknown')} unknown`)
  assert.deepEqual(new Set(judgements.map(({ kind }) => kind)), new Set(['linearizable']))
})

test('one stale check in a hundred is found', async () => {
  const isStale = onceIn(100)
  assert.ok(isViolated(await run({ check: (states) => states.at(isStale() ? -2 : -1) })))
})

test('one change of a member in a hundred that lands in the old life of its group is found', async () => {
  assert.ok(isViolated(await run({ isLate: onceIn(100) })))
})

test('members that survive the deletion of their group are found', async () => {
  assert.ok(isViolated(await run({ keepsMembers: true })))
})
