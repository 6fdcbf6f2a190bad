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
import { updateGroup } from '../../group/update-group.ts'
import { AUTHOR } from '../../testing/author.ts'
import type { GroupView, Reply } from '../api-client.ts'
import type { Judgement } from './judge-history.ts'
import { VerifyTally } from './verify-tally.ts'
import { type Link, Workload } from './workload.ts'

const STATUS = {
  group_exists: 409,
  group_not_found: 404,
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
}>

const BROKEN = { kind: 'broken', reason: 'the connection broke before the answer' } as const

function serviceOf({ read, fate: fateOf = () => 'answered' }: Lies): Link['client'] {
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
  }
}

function shown(group: Group): Reply<GroupView> {
  return { kind: 'answered', status: 200, etag: etagOf(group), value: group, text: '' }
}

function problem(code: keyof typeof STATUS): Reply<GroupView> {
  const outcome = code === 'unavailable' ? 'not_applied' : undefined
  const fields = { status: STATUS[code], code, title: '', detail: undefined, outcome, errors: [] }
  return { kind: 'problem', problem: fields, text: '' }
}

/** Runs 16 clients for this many operations. Returns the verdicts about the keys. */
async function run(
  lies: Lies,
  operations = 3_000,
): Promise<Readonly<{ judgements: Judgement[]; tally: VerifyTally }>> {
  const controller = new AbortController()
  const tally = new VerifyTally()
  const judgements: Judgement[] = []
  const client = serviceOf(lies)
  const draws = fc.sample(fc.noBias(fc.nat(2 ** 30 - 1)), { seed: 5, numRuns: operations * 6 })
  const workload = new Workload({
    links: [
      { url: 'http://a', client },
      { url: 'http://b', client },
    ],
    clients: 16,
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
  assert.ok(tally.count('read', 'done') > 500)
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
