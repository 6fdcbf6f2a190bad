import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Facts, judge } from './verdict.ts'

type Member = Facts['members'][number]

function members(...reachable: readonly boolean[]): Member[] {
  return reachable.map((is, index) => ({
    address: `n${index + 1}:8001`,
    role: 'voting',
    reachable: is,
    lag: null,
  }))
}

function facts(overrides: Partial<Facts>): Facts {
  return {
    members: members(true, true, true),
    quorum: 2,
    change: undefined,
    divergenceCount: 0,
    ...overrides,
  }
}

test('all nodes answer: healthy, and equal only where repair has said so', () => {
  assert.deepEqual(judge(facts({})), { verdict: 'healthy', reason: 'All 3 nodes answer.' })
  const equal = members(true, true, true).map((member) => ({ ...member, lag: 0 }))
  assert.equal(judge(facts({ members: equal })).reason, 'All 3 nodes answer and hold the same.')
  assert.equal(judge(facts({ members: members(true), quorum: 1 })).reason, 'The one node answers.')
})

test('a node away: degraded, with how many more may fail', () => {
  assert.deepEqual(judge(facts({ members: members(true, false, true) })), {
    verdict: 'degraded',
    reason: '2 of 3 nodes answer, which is enough, but none of them may fail (no answer from n2:8001).',
  })
  const five = judge(facts({ members: members(true, true, true, true, false), quorum: 3 }))
  assert.match(five.reason, /^4 of 5 nodes answer, which is enough, but 1 more may fail /)
})

test('no quorum: unavailable, with what is needed', () => {
  assert.deepEqual(judge(facts({ members: members(false, true, false) })), {
    verdict: 'unavailable',
    reason:
      'Only 1 of 3 nodes answers, and 2 are needed: requests are refused until more are back (no answer from n1:8001, n3:8001).',
  })
})

test('a lag, a change and a divergence are each enough for degraded, the alarm first', () => {
  const lagging = members(true, true, true).map((member, index) => ({ ...member, lag: index * 1_000 }))
  const { verdict, reason } = judge(
    facts({ members: lagging, change: 'node x is joining', divergenceCount: 1 }),
  )
  assert.equal(verdict, 'degraded')
  assert.match(
    reason,
    /^1 divergence: .*n2:8001 lags behind by 1,000 keys.*2,000 keys.*; node x is joining\.$/,
  )
  assert.equal(judge(facts({ change: 'node x is joining' })).verdict, 'degraded')
  assert.equal(judge(facts({ divergenceCount: 2 })).verdict, 'degraded')
})

test('a joining node has no part in the quorum', () => {
  const joining: Member = { address: 'n4:8001', role: 'joining', reachable: true, lag: 7 }
  assert.equal(judge(facts({ members: [...members(true, false, false), joining] })).verdict, 'unavailable')
})

test('the verdict is unavailable exactly when fewer nodes than the quorum answer', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      fc.nat(3),
      (reachable, divergenceCount) => {
        const quorum = Math.floor(reachable.length / 2) + 1
        const { verdict } = judge(facts({ members: members(...reachable), quorum, divergenceCount }))
        assert.equal(verdict === 'unavailable', reachable.filter((is) => is).length < quorum)
      },
    ),
  )
})
