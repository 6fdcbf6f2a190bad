import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Membership } from '../rpc/messages.ts'
import { type Claim, claimOf, isConfirmed, isSameMembership, newestConfirmed } from './confirmation.ts'

function aMembership(epoch: number, members: string, outgoing?: string): Membership {
  const membersOf = (names: string) => [...names].map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
  const membership = { clusterId: 'c', epoch, members: membersOf(members), tombstoneGraceMs: 3_600_000 }
  return outgoing === undefined ? membership : { ...membership, outgoing: membersOf(outgoing) }
}

function seen(nodeId: string, membership: Membership | undefined, vote?: Membership): Claim {
  return { nodeId, membership, vote }
}

const OLD = aMembership(1, 'abc')
const JOINT = aMembership(2, 'bcd', 'abc')

test('a newer membership is confirmed by a classic quorum of the nodes that it replaces, and by no fewer', () => {
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT)]))
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('b', OLD), seen('c', OLD)]))
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('d', JOINT)]), 'd is new, and only a was there')
  assert.ok(isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('b', JOINT), seen('c', OLD)]))
  const later = aMembership(3, 'bcd')
  assert.ok(!isConfirmed(JOINT, OLD, [seen('a', JOINT), seen('b', later)]), 'b does not tell what was before')
  assert.ok(isConfirmed(later, OLD, [seen('a', JOINT, later), seen('b', later)]), 'a has voted for it')
})

test('a joint membership is confirmed by a quorum of its new members, of which one alone is not enough', () => {
  assert.ok(isConfirmed(JOINT, OLD, [seen('b', JOINT), seen('d', JOINT), seen('c', OLD)]))
  assert.ok(!isConfirmed(JOINT, OLD, [seen('d', JOINT), seen('c', OLD)]))
})

test('votes confirm what one node reports, because the node that counted them may have lost its disk', () => {
  const joint = aMembership(10, 'abcde', 'abcd')
  const takenBack = aMembership(11, 'abcd')
  const others = [seen('d', joint), seen('e', joint)]
  const claims = [seen('a', takenBack), seen('b', joint, takenBack), ...others]
  assert.ok(isConfirmed(takenBack, joint, claims), 'seed 120343640662862 of the large world')
  assert.ok(!isConfirmed(takenBack, joint, [seen('a', takenBack), seen('b', joint), ...others]))
  const untold = [seen('a', joint, takenBack), seen('b', joint, takenBack), seen('c', joint, takenBack)]
  assert.ok(!isConfirmed(takenBack, joint, untold), 'what has votes need not be chosen')
  const another = aMembership(11, 'abcde')
  assert.ok(!isConfirmed(takenBack, joint, [seen('a', takenBack), seen('b', joint, another), ...others]))
  assert.ok(!isConfirmed(takenBack, joint, [seen('a', takenBack, takenBack), ...others]), 'it counts once')
})

test('a classic quorum less one, and two at least, must know of it', () => {
  for (const [names, needed] of [
    ['abc', 2],
    ['abcd', 2],
    ['abcde', 2],
    ['abcdef', 3],
    ['abcdefg', 3],
  ] as const) {
    const [older, newer] = [aMembership(4, names), aMembership(6, names)]
    const knowing = (count: number) => [...names].map((id, index) => seen(id, index < count ? newer : older))
    assert.ok(isConfirmed(newer, older, knowing(needed)), names)
    assert.ok(!isConfirmed(newer, older, knowing(needed - 1)), names)
  }
})

test('a value that is no membership is no vote', () => {
  const counts = { recordCount: 1, tombstoneCount: 0, stubCount: 0, damagedCount: 0, healedCount: 0 }
  const parts = { version: '1', ...counts }
  const described = { nodeId: 'a', membership: OLD, ...parts }
  assert.deepEqual(claimOf(described), { nodeId: 'a', membership: OLD })
  for (const text of ['', '{', '{}', 'null', '[]'])
    assert.equal(claimOf({ ...described, membershipVote: Buffer.from(text) }).vote, undefined, text)
  const vote = claimOf({ ...described, membershipVote: Buffer.from(JSON.stringify(JOINT)) }).vote
  assert.deepEqual(vote, JOINT)
})

test('a joint membership is replaced when both its sides, or a quorum of the nodes that stay, report it', () => {
  const next = aMembership(3, 'bcd')
  assert.ok(!isConfirmed(next, JOINT, [seen('d', next), seen('a', JOINT), seen('b', JOINT)]))
  assert.ok(isConfirmed(next, JOINT, [seen('b', next), seen('c', next)]))
  assert.ok(isConfirmed(next, JOINT, [seen('c', next), seen('d', next)]))
})

test('the end of a change is confirmed although a member does not answer and nodes of the other side never learn of it', () => {
  const adding = aMembership(2, 'abcd', 'abc')
  const takenBack = aMembership(3, 'abc')
  assert.ok(isConfirmed(takenBack, adding, [seen('a', takenBack), seen('b', takenBack), seen('d', adding)]))
  assert.ok(!isConfirmed(takenBack, adding, [seen('a', takenBack), seen('d', adding)]))
  const removing = aMembership(2, 'abc', 'abcd')
  const finished = aMembership(3, 'abc')
  assert.ok(isConfirmed(finished, removing, [seen('a', finished), seen('b', finished), seen('d', removing)]))
  assert.ok(!isConfirmed(finished, removing, [seen('a', finished), seen('d', removing)]))
})

test('a membership that one node has invented is not confirmed, whichever nodes it names', () => {
  for (const members of ['a', 'abx', 'abc', 'axy', 'abcxy']) {
    const madeUp = aMembership(99, members)
    assert.ok(!isConfirmed(madeUp, OLD, [seen('a', madeUp), seen('b', OLD), seen('c', OLD)]), members)
    assert.ok(!isConfirmed(madeUp, OLD, [seen('a', madeUp)]), `${members}, the others do not answer`)
  }
})

test('a node that is further on does not confirm an epoch that another node has invented', () => {
  const madeUp = aMembership(2, 'axy')
  const claims = [seen('a', madeUp, madeUp), seen('b', aMembership(3, 'bcd'))]
  assert.equal(newestConfirmed(OLD, claims), undefined)
})

test('one node that answers at several addresses counts once', () => {
  const madeUp = aMembership(99, 'a')
  assert.ok(!isConfirmed(madeUp, OLD, [seen('a', madeUp), seen('a', madeUp)]))
})

test('an invented membership does not hide a confirmed one', () => {
  const claims = [seen('a', aMembership(99, 'a')), seen('b', JOINT), seen('c', JOINT)]
  assert.deepEqual(newestConfirmed(OLD, claims), JOINT)
  assert.equal(newestConfirmed(JOINT, claims), undefined)
})

test('a cluster that works without most of the old members is followed when enough of its new members report it', () => {
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

test('a removal is followed although one of the remaining nodes is down and the removed node has ended', () => {
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
