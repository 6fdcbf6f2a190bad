import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RULES } from '../../register/rules.ts'
import type { Membership } from '../../rpc/messages.ts'
import { PROTOCOL } from '../protocol.ts'
import { reportLarge } from '../search.ts'
import { type LargeRun, runLarge } from './world.ts'

/** Of these seeds, the last ones change the membership in every way. */
const FIRST_SEED = 21
const SEEDS = 30

/** How a change of the membership ended. */
type Change = 'added' | 'removed' | 'replaced' | 'taken back' | 'exchanged'

/** The changes of the membership that a run shows, from its memberships in order. */
function changesOf(memberships: readonly Membership[]): Change[] {
  return memberships.flatMap(({ members, outgoing }, index) => {
    const next = memberships[index + 1]
    if (outgoing === undefined || next === undefined) return []
    if (next.outgoing !== undefined) return 'exchanged'
    if (isSame(next.members, outgoing)) return 'taken back'
    if (members.length === outgoing.length) return 'replaced'
    return members.length > outgoing.length ? 'added' : 'removed'
  })
}

function isSame(some: Membership['members'], others: Membership['members']): boolean {
  return some.map(({ nodeId }) => nodeId).join() === others.map(({ nodeId }) => nodeId).join()
}

const runs: LargeRun[] = []

test(`no rule breaks in ${SEEDS} runs of a whole system, and it recovers from each`, async () => {
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
    const run = await runLarge(seed, PROTOCOL)
    runs.push(run)
    assert.equal(run.failure, undefined, `seed ${seed}, ${run.description}: ${run.failure?.message}`)
  }
})

test('those runs reach every kind of change of the membership, and disks that are lost, come back, and spoil records', () => {
  const changes = Map.groupBy(
    runs.flatMap(({ memberships }) => changesOf(memberships)),
    (change) => change,
  )
  for (const change of ['added', 'removed', 'replaced', 'taken back', 'exchanged'] as const)
    assert.ok((changes.get(change)?.length ?? 0) >= 2, `${change}: ${changes.get(change)?.length ?? 0} times`)
  assert.ok(runs.some(({ lostDiskCount }) => lostDiskCount > 0))
  assert.ok(runs.some(({ returnedDiskCount }) => returnedDiskCount > 0))
  assert.ok(runs.filter(({ spoiledCount }) => spoiledCount > 0).length >= 3)
})

test('the same seed gives the same conversation, byte for byte', async () => {
  for (let seed = 1; seed <= 3; seed += 1) {
    const first = await runLarge(seed, PROTOCOL, { isTold: true })
    const second = await runLarge(seed, PROTOCOL, { isTold: true })
    assert.equal(first.lines.join('\n'), second.lines.join('\n'))
    assert.ok(first.lines.length > 1_000)
  }
})

test('a broken rule is noticed in a whole system too', async () => {
  const rules = { ...RULES, judge: () => ({ kind: 'not_happened' }) as const }
  let seed = 1
  while ((await runLarge(seed, { ...PROTOCOL, rules })).failure === undefined) seed += 1
  const { failure } = await runLarge(seed, { ...PROTOCOL, rules })
  assert.match(failure?.message ?? '', /exactly once|linearizable/)
  assert.ok(seed < 50)
})

test('a failure is reported in the smallest world that shows it, with its seed', async () => {
  const rules = { ...RULES, judge: () => ({ kind: 'not_happened' }) as const }
  const protocol = { ...PROTOCOL, rules }
  // A run that fails late, so that much can be left out.
  const failsLate = async (candidate: number) => {
    const { failure, operationCount } = await runLarge(candidate, protocol)
    return failure !== undefined && operationCount > 100
  }
  // The runs of the seeds before take twenty times as long, and each is repeated many times.
  let seed = 14
  while (!(await failsLate(seed))) seed += 1
  const told = await reportLarge(seed, Number.POSITIVE_INFINITY, protocol)
  const [, operations, whole] = /, (\d+) of (\d+) operations;/.exec(told) ?? []
  assert.match(told, new RegExp(`^seed ${seed}: `))
  assert.ok(Number(operations) < Number(whole) / 2, told.slice(0, 200))
  assert.match(told.split('\n').at(-1) ?? '', /exactly once|linearizable/)
})
