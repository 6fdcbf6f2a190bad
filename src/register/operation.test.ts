import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Attempt, judge, remember } from './operation.ts'
import { ABSENT, LINEAGE_LENGTH, type State, successor } from './state.ts'

const MINE = 1
const FOREIGN = 2

/** A chain of `length` states; the writes at the generations in `mine` are this operation's. */
function chain(length: number, mine: readonly number[] = []): State {
  let state = ABSENT
  for (let generation = 1; generation <= length; generation += 1) {
    const proposerId = mine.includes(generation) ? MINE : FOREIGN
    state = successor(state, { proposerId, sequence: generation }, undefined)
  }
  return state
}

function attempt(generation: number): Attempt {
  return { writeId: { proposerId: MINE, sequence: generation }, generation, result: `at ${generation}` }
}

test('an operation that has sent no accept has not happened', () => {
  assert.deepEqual(judge([], chain(100)), { kind: 'not_happened' })
})

test('an attempt in the lineage happened, with the result that this attempt promised', () => {
  assert.deepEqual(judge([attempt(3)], chain(5, [3])), { kind: 'happened', result: 'at 3' })
  assert.deepEqual(judge([attempt(3), attempt(5)], chain(6, [5])), { kind: 'happened', result: 'at 5' })
})

test('an attempt whose generation another write took, or that was never reached, has not happened', () => {
  assert.deepEqual(judge([attempt(3)], chain(3)), { kind: 'not_happened' })
  assert.deepEqual(judge([attempt(4)], chain(3)), { kind: 'not_happened' })
})

test('the window has sixteen generations: fifteen writes later one can tell, sixteen later one cannot', () => {
  assert.equal(LINEAGE_LENGTH, 16)
  assert.deepEqual(judge([attempt(3)], chain(18)), { kind: 'not_happened' })
  assert.deepEqual(judge([attempt(3)], chain(18, [3])), { kind: 'happened', result: 'at 3' })
  assert.deepEqual(judge([attempt(3)], chain(19)), { kind: 'unknown' })
  assert.deepEqual(judge([attempt(3)], chain(19, [3])), { kind: 'unknown' })
})

test('the lowest generation of all attempts counts, also when a later attempt was lower', () => {
  assert.deepEqual(judge([attempt(3), attempt(18)], chain(19)), { kind: 'unknown' })
  assert.deepEqual(judge([attempt(18), attempt(3)], chain(19)), { kind: 'unknown' })
  assert.deepEqual(judge([attempt(4), attempt(18)], chain(19)), { kind: 'not_happened' })
})

test('an attempt in the lineage happened, although an older one is no longer in it', () => {
  assert.deepEqual(judge([attempt(3), attempt(18)], chain(19, [18])), { kind: 'happened', result: 'at 18' })
})

test('the same number of another proposer is another write', () => {
  assert.deepEqual(judge([{ ...attempt(3), writeId: { proposerId: 5, sequence: 3 } }], chain(4, [3])), {
    kind: 'not_happened',
  })
})

test('a verdict is never wrong: against chains whose whole history the test knows', () => {
  const generations = fc.uniqueArray(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(generations, fc.nat(3), fc.integer({ min: 0, max: 40 }), (attempted, winner, length) => {
      // At most one attempt of an operation is ever in the chain.
      const happened = attempted[winner]
      const mine = happened !== undefined && happened <= length ? [happened] : []
      const verdict = judge(attempted.map(attempt), chain(length, mine))
      if (verdict.kind === 'happened') assert.equal(verdict.result, `at ${mine[0]}`)
      if (verdict.kind === 'not_happened') assert.equal(mine.length, 0)
      if (verdict.kind === 'unknown') assert.ok(Math.min(...attempted) <= length - LINEAGE_LENGTH)
    }),
  )
})

test('every attempt is remembered, oldest first, and the list before is left as it was', () => {
  const first = remember([], attempt(1))
  const both = remember(first, attempt(2))
  assert.deepEqual(first, [attempt(1)])
  assert.deepEqual(both, [attempt(1), attempt(2)])
})
