import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isClassicQuorum, quorumsOf } from '../register/quorum.ts'
import { isMemberOf, joiningOf, leavingOf, nodesOfEpoch, quorumsOfMembership } from './membership.ts'
import type { Member, Membership } from './messages.ts'

function members(...ids: readonly string[]): Member[] {
  return ids.map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
}

const STABLE: Membership = {
  clusterId: 'c',
  epoch: 1,
  members: members('a', 'b', 'c'),
  tombstoneGraceMs: 3_600_000,
}
const JOINT: Membership = {
  ...STABLE,
  epoch: 2,
  members: members('a', 'b', 'd'),
  outgoing: STABLE.members,
}

test('rounds of a stable epoch go to its members, in their order', () => {
  assert.deepEqual(nodesOfEpoch(STABLE), STABLE.members)
  assert.deepEqual(quorumsOfMembership(STABLE), quorumsOf(3))
  assert.deepEqual([joiningOf(STABLE), leavingOf(STABLE)], [[], []])
})

test('rounds of a joint epoch go to the outgoing members and, after them, to those that join', () => {
  assert.deepEqual(
    nodesOfEpoch(JOINT).map(({ nodeId }) => nodeId),
    ['a', 'b', 'c', 'd'],
  )
  assert.deepEqual(joiningOf(JOINT), members('d'))
  assert.deepEqual(leavingOf(JOINT), members('c'))
  const quorums = quorumsOfMembership(JOINT)
  assert.ok(isClassicQuorum(0b0011, quorums), 'a and b are two of three, before and behind')
  assert.ok(!isClassicQuorum(0b0101, quorums), 'a and c are only one of three behind')
  assert.ok(isClassicQuorum(0b1101, quorums))
})

test('a joint membership names the members of both sides', () => {
  assert.deepEqual(
    ['a', 'c', 'd', 'e'].map((id) => isMemberOf(JOINT, id)),
    [true, true, true, false],
  )
  assert.ok(!isMemberOf(STABLE, 'd'))
})
