import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyBallot, anyRecord, anyRequest } from '../testing/message-arbitraries.ts'
import { answer, EMPTY_RECORD } from './acceptor.ts'
import { PLAUSIBLE_ROUND_MAX } from './ballot.ts'
import { isDamage, onDamaged, PROMISE_BOUND_STEP, promiseBoundFor } from './damage.ts'

test('a damaged record takes only a state that is chosen above its bound', () => {
  fc.assert(
    fc.property(anyRequest, fc.nat(), (request, promiseBound) => {
      const given = onDamaged({ promiseBound }, request)
      const isHealing = request.kind === 'learn' && request.ballot.round > promiseBound
      assert.equal(given !== undefined, isHealing)
    }),
  )
})

test('a healed record is the same as one that was never damaged', () => {
  fc.assert(
    fc.property(anyRecord, anyRequest, (before, request) => {
      fc.pre(before.promised.round <= PLAUSIBLE_ROUND_MAX)
      const healed = onDamaged({ promiseBound: promiseBoundFor(0, before, 0) }, request)
      if (healed === undefined) return
      assert.deepEqual(healed, answer(before, request))
    }),
    { numRuns: 2_000 },
  )
})

test('the bound covers all promises, and is seldom written', () => {
  const at = (round: number) => ({ ...EMPTY_RECORD, promised: { round, proposerId: 3 } })
  const bound = promiseBoundFor(0, at(2))
  assert.equal(bound, 2 + PROMISE_BOUND_STEP)
  assert.equal(promiseBoundFor(bound, at(bound)), bound)
  assert.equal(promiseBoundFor(bound, at(bound + 1)), bound + 1 + PROMISE_BOUND_STEP)
  fc.assert(
    fc.property(fc.nat(), anyBallot, (before, promised) => {
      const after = promiseBoundFor(before, { ...EMPTY_RECORD, promised })
      assert.ok(after >= before)
      assert.ok(after >= promised.round || promised.round > PLAUSIBLE_ROUND_MAX)
    }),
  )
})

test('an implausible promise does not raise the bound', () => {
  const implausible = { ...EMPTY_RECORD, promised: { round: PLAUSIBLE_ROUND_MAX + 1, proposerId: 3 } }
  assert.equal(promiseBoundFor(7, implausible), 7)
})

test('a damage is neither a record nor an answer', () => {
  assert.ok(isDamage({ promiseBound: 0 }))
  assert.ok(!isDamage(EMPTY_RECORD))
  assert.ok(!isDamage({ ok: false, record: EMPTY_RECORD }))
})
