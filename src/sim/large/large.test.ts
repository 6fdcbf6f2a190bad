import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RULES } from '../../register/rules.ts'
import { PROTOCOL } from '../protocol.ts'
import { reportLarge } from '../search.ts'
import { runLarge } from './world.ts'

const SEEDS = 200

test(`no rule breaks in ${SEEDS} runs of a whole system, and it recovers from each`, async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { failure, description } = await runLarge(seed, PROTOCOL)
    assert.equal(failure, undefined, `seed ${seed}, ${description}: ${failure?.message}`)
  }
})

test('the same seed gives the same conversation, byte for byte', async () => {
  for (let seed = 1; seed <= 5; seed += 1) {
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

test('a failure is told in the least of its world that shows it, with its seed', async () => {
  const rules = { ...RULES, judge: () => ({ kind: 'not_happened' }) as const }
  const protocol = { ...PROTOCOL, rules }
  // One that fails late, of which much can be left out.
  const failsLate = async (candidate: number) => {
    const { failure, operationCount } = await runLarge(candidate, protocol)
    return failure !== undefined && operationCount > 100
  }
  let seed = 1
  while (!(await failsLate(seed))) seed += 1
  const told = await reportLarge(seed, Number.POSITIVE_INFINITY, protocol)
  const [, operations, whole] = /, (\d+) of (\d+) operations;/.exec(told) ?? []
  assert.match(told, new RegExp(`^seed ${seed}: `))
  assert.ok(Number(operations) < Number(whole) / 2, told.slice(0, 200))
  assert.match(told.split('\n').at(-1) ?? '', /exactly once|linearizable/)
})
