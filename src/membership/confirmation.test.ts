import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Membership } from '../rpc/messages.ts'
import { type Claim, isConfirmed, isSameMembership, newestConfirmed } from './confirmation.ts'

function aMembership(epoch: number, members: string, outgoing?: string): Membership {
  const membersOf = (names: string) => [...names].map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
  const membership = { clusterId: 'c', epoch, members: membersOf(members), tombstoneGraceMs: 3_600_000 }
  return outgoing === undefined ? membership : { ...membership, outgoing: membersOf(outgoing) }
}

function seen(nodeId: string, membership: Membership | undefined): Claim {
  return { nodeId, membership }
}

const OLD = aMembership(1, 'abc')
const JOINT = aMembership(2, 'bcd', 'abc')

test('a newer membership is confirmed by a classic quorum of the nodes that it replaces, and by no fewer', () => {
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT)]))
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('b', OLD), seen('c', OLD)]))
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('d', JOINT)]), 'd is new, and only a was there')
  assert.ok(isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('b', JOINT), seen('c', OLD)]))
  assert.ok(isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('b', aMembership(3, 'bcd'))]), 'b is further on')
})

test('a joint membership is confirmed by a quorum of its new members, of which one alone is not enough', () => {
  assert.ok(isConfirmed(JOINT, OLD, [seen('b', JOINT), seen('d', JOINT), seen('c', OLD)]))
  assert.ok(!isConfirmed(JOINT, OLD, [seen('d', JOINT), seen('c', OLD)]))
  const five = aMembership(2, 'abcde', 'abcd')
  assert.ok(!isConfirmed(five, aMembership(1, 'abcd'), [seen('a', five), seen('e', five)]), 'two of five')
})

test('a joint membership is replaced with the word of both its sides, or of a quorum of those that stay', () => {
  const next = aMembership(3, 'bcd')
  assert.ok(!isConfirmed(next, JOINT, [seen('d', next), seen('a', JOINT), seen('b', JOINT)]))
  assert.ok(isConfirmed(next, JOINT, [seen('b', next), seen('c', next)]))
  assert.ok(isConfirmed(next, JOINT, [seen('c', next), seen('d', next)]))
})

test('the end of a change is confirmed although a member is away, and nodes of the other side never hear of it', () => {
  const adding = aMembership(2, 'abcd', 'abc')
  const takenBack = aMembership(3, 'abc')
  assert.ok(isConfirmed(takenBack, adding, [seen('a', takenBack), seen('b', takenBack), seen('d', adding)]))
  assert.ok(!isConfirmed(takenBack, adding, [seen('a', takenBack), seen('d', adding)]))
  const removing = aMembership(2, 'abc', 'abcd')
  const finished = aMembership(3, 'abc')
  assert.ok(isConfirmed(finished, removing, [seen('a', finished), seen('b', finished), seen('d', removing)]))
  assert.ok(!isConfirmed(finished, removing, [seen('a', finished), seen('d', removing)]))
})

test('a membership that one node has made up is not confirmed, whomever it names', () => {
  for (const members of ['a', 'abx', 'abc', 'axy', 'abcxy']) {
    const madeUp = aMembership(99, members)
    assert.ok(!isConfirmed(madeUp, OLD, [seen('a', madeUp), seen('b', OLD), seen('c', OLD)]), members)
    assert.ok(!isConfirmed(madeUp, OLD, [seen('a', madeUp)]), `${members}, the others do not answer`)
  }
})

test('one node that answers at several addresses counts once', () => {
  const madeUp = aMembership(99, 'a')
  assert.ok(!isConfirmed(madeUp, OLD, [seen('a', madeUp), seen('a', madeUp)]))
})

test('what is made up does not hide what is confirmed', () => {
  const claims = [seen('a', aMembership(99, 'a')), seen('b', JOINT), seen('c', JOINT)]
  assert.deepEqual(newestConfirmed(OLD, claims), JOINT)
  assert.equal(newestConfirmed(JOINT, claims), undefined)
})

test('a cluster that has gone on without most of the old members is followed at the word of its own', () => {
  const later = aMembership(7, 'cde')
  assert.ok(isConfirmed(later, OLD, [seen('c', later), seen('d', later)]))
  assert.ok(
    isConfirmed(
      aMembership(7, 'def'),
      OLD,
      [...'def'].map((name) => seen(name, aMembership(7, 'def'))),
    ),
  )
  assert.ok(!isConfirmed(later, OLD, [seen('c', later), seen('d', OLD)]))
})

test('a removal is followed although one of those that stay is down, and the node that left has ended', () => {
  const older = aMembership(3, 'abcd')
  const newer = aMembership(5, 'abd')
  assert.ok(isConfirmed(newer, older, [seen('b', newer), seen('d', newer)]), 'seed 160 of the large world')
  assert.ok(!isConfirmed(newer, older, [seen('d', newer)]))
})

test('two memberships of one epoch that differ do not confirm each other', () => {
  const one = aMembership(2, 'abd')
  const other = aMembership(2, 'abe')
  assert.ok(!isConfirmed(one, OLD, [seen('a', one), seen('b', other)]))
  assert.ok(!isSameMembership(one, other))
  const moved = { ...one, members: one.members.map((member) => ({ ...member, address: 'elsewhere:1' })) }
  assert.ok(isConfirmed(one, OLD, [seen('a', one), seen('b', moved)]), 'a member may have moved')
})

test('another cluster confirms nothing', () => {
  const foreign = { ...aMembership(99, 'abc'), clusterId: 'other' }
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', foreign), seen('b', foreign), seen('c', undefined)]))
})
