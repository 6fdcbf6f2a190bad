import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Ballot,
  compareBallots,
  FIRST_BALLOT,
  formatBallot,
  isFastBallot,
  maxBallot,
  nextFastBallot,
  PROPOSER_ID_MAX,
} from './ballot.ts'

/** Few values, so that equal rounds and equal ballots are common; and the greatest ones. */
const ballot: fc.Arbitrary<Ballot> = fc.record({
  round: fc.oneof(fc.integer({ min: 1, max: 3 }), fc.constant(Number.MAX_SAFE_INTEGER - 1)),
  proposerId: fc.oneof(fc.integer({ min: 0, max: 2 }), fc.constant(PROPOSER_ID_MAX)),
})

test('ballots are ordered by round first, then by proposer', () => {
  const ascending = [
    FIRST_BALLOT,
    { round: 1, proposerId: 1 },
    { round: 1, proposerId: PROPOSER_ID_MAX },
    { round: 2, proposerId: 0 },
    { round: 10, proposerId: 3 },
  ]
  for (const [i, a] of ascending.entries()) {
    for (const [j, b] of ascending.entries()) assert.equal(Math.sign(compareBallots(a, b)), Math.sign(i - j))
  }
})

test('the order is total: antisymmetric, transitive, and 0 only for the same ballot', () => {
  fc.assert(
    fc.property(ballot, ballot, ballot, (a, b, c) => {
      const sign = (x: Ballot, y: Ballot) => Math.sign(compareBallots(x, y))
      assert.equal(sign(a, b) + sign(b, a), 0)
      if (sign(a, b) <= 0 && sign(b, c) <= 0) assert.ok(sign(a, c) <= 0)
      assert.equal(sign(a, b) === 0, a.round === b.round && a.proposerId === b.proposerId)
    }),
  )
})

test('the greater of two ballots is one of them and below neither', () => {
  fc.assert(
    fc.property(ballot, ballot, (a, b) => {
      const greater = maxBallot(a, b)
      assert.ok(greater === a || greater === b)
      assert.ok(compareBallots(greater, a) >= 0 && compareBallots(greater, b) >= 0)
    }),
  )
})

test('the next fast ballot is above every ballot of the round before, and below every classic one of its own', () => {
  fc.assert(
    fc.property(ballot, (a) => {
      const next = nextFastBallot(a)
      assert.ok(isFastBallot(next))
      assert.ok(compareBallots(next, { round: a.round, proposerId: PROPOSER_ID_MAX }) > 0)
      assert.ok(compareBallots(next, { round: next.round, proposerId: 1 }) < 0)
    }),
  )
})

test('only the ballot that nobody owns is fast', () => {
  assert.ok(isFastBallot(FIRST_BALLOT))
  assert.ok(!isFastBallot({ round: 1, proposerId: 1 }))
})

test('a ballot reads as its round and its owner', () => {
  assert.equal(formatBallot({ round: 5, proposerId: 0 }), '5.fast')
  assert.equal(formatBallot({ round: 5, proposerId: 1234 }), '5.1234')
  assert.equal(formatBallot(undefined), 'none')
})
