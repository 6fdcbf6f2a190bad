import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RULES } from '../../register/rules.ts'
import { assertNoticed } from '../notice.ts'
import { PROTOCOL } from '../protocol.ts'
import { reportLarge } from '../search.ts'
import { assertSystemsHold } from './searches.ts'
import { runLarge } from './world.ts'

/** They change the membership in every way. test/long/searches.test.ts runs more. */
const SEEDS = [25, 34, 35, 36, 42, 47, 48, 49, 67]

test('no rule breaks in whole systems whose membership changes in every way, and whose disks are lost, come back, and spoil records', async () => {
  await assertSystemsHold(SEEDS)
})

test('the same seed gives the same conversation, byte for byte', async () => {
  for (const seed of [35, 36]) {
    const first = await runLarge(seed, PROTOCOL, { isTold: true })
    const second = await runLarge(seed, PROTOCOL, { isTold: true })
    assert.equal(first.lines.join('\n'), second.lines.join('\n'))
    assert.ok(first.lines.length > 1_000)
  }
})

test('a broken rule is noticed in a whole system too', async (t) => {
  const rules = { ...RULES, judge: () => ({ kind: 'not_happened' }) as const }
  const suspects = { seed: 36, seedsMax: 50 }
  const failureOf = async (seed: number) => (await runLarge(seed, { ...PROTOCOL, rules })).failure
  assert.match((await assertNoticed(t, suspects, failureOf)).message, /exactly once|linearizable/)
})

test('a failure is reported in the smallest world that shows it, with its seed', async () => {
  const rules = { ...RULES, judge: () => ({ kind: 'not_happened' }) as const }
  const protocol = { ...PROTOCOL, rules }
  // A run that fails late, so that much can be left out.
  const failsLate = async (candidate: number) => {
    const { failure, operationCount } = await runLarge(candidate, protocol)
    return failure !== undefined && operationCount > 100
  }
  // The runs of the seeds before take much longer, and each is repeated many times. Seed 59 shows its failure
  // only with all of its operations.
  let seed = 61
  while (!(await failsLate(seed))) seed += 1
  const told = await reportLarge(seed, Number.POSITIVE_INFINITY, protocol)
  const [, operations, whole] = /, (\d+) of (\d+) operations;/.exec(told) ?? []
  assert.match(told, new RegExp(`^seed ${seed}: `))
  assert.ok(Number(operations) < Number(whole) / 2, told.slice(0, 200))
  assert.match(told.split('\n').at(-1) ?? '', /exactly once|linearizable/)
})
