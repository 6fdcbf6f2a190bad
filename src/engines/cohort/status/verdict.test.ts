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
    damaged: null,
  }))
}

/** As many as a quorum are needed, unless a test says otherwise. */
function facts(overrides: Partial<Facts>): Facts {
  const some = {
    members: members(true, true, true),
    quorum: 2,
    change: undefined,
    replacement: null,
    loss: undefined,
    divergenceCount: 0,
    ...overrides,
  }
  const up = some.members.filter(({ role, reachable }) => reachable && role !== 'joining').length
  return { isQuorumReachable: up >= some.quorum, ...some }
}

test('all nodes answer: healthy; that none lags is said only after repair has compared them', () => {
  assert.deepEqual(judge(facts({})), { verdict: 'healthy', reason: 'All 3 nodes answer.' })
  const equal = members(true, true, true).map((member) => ({ ...member, lag: 0 }))
  assert.equal(judge(facts({ members: equal })).reason, 'All 3 nodes answer, and none is known to lag.')
  assert.equal(judge(facts({ members: members(true), quorum: 1 })).reason, 'The one node answers.')
})

test('lost disks are reported before everything else, with what to do', () => {
  const loss = 'two disks are lost: restore a backup'
  assert.deepEqual(judge(facts({ loss, members: members(true, false, false) })), {
    verdict: 'unavailable',
    reason: 'Two disks are lost: restore a backup.',
  })
})

test('a node does not answer: degraded, with how many more may fail', () => {
  assert.deepEqual(judge(facts({ members: members(true, false, true) })), {
    verdict: 'degraded',
    reason: '2 of 3 nodes answer, which is enough, but none of them may fail (no answer from n2:8001).',
  })
  const five = judge(facts({ members: members(true, true, true, true, false), quorum: 3 }))
  assert.match(five.reason, /^4 of 5 nodes answer, which is enough, but 1 more may fail /)
})

test('a member that is about to be replaced: where, and how much time is left for it to come back', () => {
  const replacement = { nodeId: 'n2', newNodeId: 'new', address: 'n2:8001', seconds: 42 }
  assert.match(
    judge(facts({ members: members(true, false, true), replacement })).reason,
    /^2 of 3 nodes answer.*; the empty node at n2:8001 takes the place of n2 in 42 seconds, unless that member comes back with its data before\.$/,
  )
  const lostQuorum = judge(facts({ members: members(true, false, false), replacement }))
  assert.match(lostQuorum.reason, /takes the place of n2 in 42 seconds/)
})

test('no quorum: unavailable, with what is needed', () => {
  assert.deepEqual(judge(facts({ members: members(false, true, false) })), {
    verdict: 'unavailable',
    reason:
      'Only 1 of 3 nodes answers, and 2 are needed: requests are refused until more are back (no answer from n1:8001, n3:8001).',
  })
})

test('a lag, a change and a divergence each make the verdict degraded; a divergence is reported first', () => {
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

test('a disk that has spoiled records is said, with how many', () => {
  const [first, ...rest] = members(true, true, true)
  const { verdict, reason } = judge(facts({ members: [{ ...first!, damaged: 2 }, ...rest] }))
  assert.equal(verdict, 'degraded')
  assert.equal(
    reason,
    'The disk of n1:8001 has spoiled 2 records, which have no vote until they have healed.',
  )
})

test('a joining node has no part in the quorum', () => {
  const joining: Member = { address: 'n4:8001', role: 'joining', reachable: true, lag: 7, damaged: 0 }
  assert.equal(judge(facts({ members: [...members(true, false, false), joining] })).verdict, 'unavailable')
})

test('while two memberships are in force, the verdict depends on which nodes answer, not on how many', () => {
  const changing = { members: members(true, true, true, false), change: 'n4 takes the place of n3' }
  const open = judge(facts({ ...changing, isQuorumReachable: true }))
  assert.deepEqual(open, {
    verdict: 'degraded',
    reason: '3 of 4 nodes answer (no answer from n4:8001); n4 takes the place of n3.',
  })
  const closed = judge(facts({ ...changing, isQuorumReachable: false }))
  assert.equal(closed.verdict, 'unavailable')
  assert.match(closed.reason, /^Only 3 of 4 nodes answer, and a quorum of both memberships is needed: /)
})

test('whatever else is wrong, without a quorum the verdict is unavailable, and with one it is not', () => {
  fc.assert(
    fc.property(
      fc.array(fc.boolean(), { minLength: 1, maxLength: 7 }),
      fc.nat(3),
      fc.boolean(),
      (reachable, divergenceCount, isQuorumReachable) => {
        const { verdict } = judge(
          facts({ members: members(...reachable), divergenceCount, isQuorumReachable }),
        )
        assert.equal(verdict === 'unavailable', !isQuorumReachable)
      },
    ),
  )
})
