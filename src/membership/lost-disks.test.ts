import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Member, Membership } from '../rpc/messages.ts'
import { findLostDisks, type LostDiskFinding } from './lost-disks.ts'
import type { Sighting } from './sighting.ts'

const HOSTS = ['h:1', 'h:2', 'h:3']

function members(...ids: readonly string[]): Member[] {
  return ids.map((nodeId) => ({ nodeId, address: `h:${nodeId.slice(-1)}` }))
}

const THREE: Membership = {
  clusterId: 'c',
  epoch: 1,
  members: members('a1', 'a2', 'a3'),
  tombstoneGraceMs: 3_600_000,
}

function seen(address: string, nodeId: string, parts: Partial<Sighting['description']> = {}): Sighting {
  const description = {
    nodeId,
    membership: undefined,
    version: '1',
    recordCount: 0,
    tombstoneCount: 0,
    stubCount: 0,
    damagedCount: 0,
    healedCount: 0,
  }
  return { address, description: { ...description, ...parts } }
}

function find(sightings: readonly Sighting[], membership = THREE, hosts = HOSTS): LostDiskFinding {
  return findLostDisks(membership, sightings, ({ address }) => address, hosts)
}

const OTHERS = [seen('h:1', 'a1', { membership: THREE }), seen('h:2', 'a2', { membership: THREE })]

test('an empty node at the address of a missing member can replace it', () => {
  assert.deepEqual(find([...OTHERS, seen('h:3', 'new')]), {
    kind: 'replaceable',
    lost: { member: THREE.members[2], newcomer: { nodeId: 'new', address: 'h:3' } },
  })
})

test('a member that does not answer, or is at another address, has not lost its disk', () => {
  assert.equal(find(OTHERS).kind, 'none')
  assert.equal(find([...OTHERS, seen('h:3', 'new'), seen('h:9', 'a3', { membership: THREE })]).kind, 'none')
})

test('a node that holds anything, or belongs to any cluster, replaces no member', () => {
  const foreign = { ...THREE, clusterId: 'other' }
  assert.equal(find([...OTHERS, seen('h:3', 'new', { membership: foreign })]).kind, 'none')
  assert.equal(find([...OTHERS, seen('h:3', 'new', { recordCount: 1 })]).kind, 'none')
})

test('a host at which no member runs can be that of the missing member, if there is only one such host', () => {
  const hosts = ['h:1', 'h:2', 'h:4']
  assert.equal(find([...OTHERS, seen('h:4', 'new')], THREE, hosts).kind, 'replaceable')
  assert.equal(find([...OTHERS.slice(1), seen('h:4', 'new')], THREE, hosts).kind, 'none')
  assert.equal(find([...OTHERS, seen('h:4', 'new')], THREE, [...HOSTS, 'h:4']).kind, 'none', 'a spare node')
})

test('two of three disks are beyond repair, whether the third is seen or not, and the reason says so', () => {
  for (const rest of [OTHERS.slice(0, 1), []]) {
    const finding = find([...rest, seen('h:2', 'new2'), seen('h:3', 'new3')])
    assert.equal(finding.kind, 'beyond repair')
    assert.match(
      finding.kind === 'beyond repair' ? finding.reason : '',
      /^2 of 3 members have lost their disks \(a2 at h:2, a3 at h:3\).*Nothing was overwritten.*backup/,
    )
  }
})

test('of five, two can be replaced one after the other, and three cannot', () => {
  const five: Membership = { ...THREE, members: members('a1', 'a2', 'a3', 'a4', 'a5') }
  const hosts = ['h:1', 'h:2', 'h:3', 'h:4', 'h:5']
  const lost = ['h:3', 'h:4', 'h:5'].map((address) => seen(address, `new${address}`))
  assert.equal(find([...OTHERS, ...lost.slice(1)], five, hosts).kind, 'replaceable')
  assert.equal(find([...OTHERS, ...lost], five, hosts).kind, 'beyond repair')
})

test('while a change is under way, a joining node can be replaced, and the others must wait', () => {
  const joint: Membership = {
    ...THREE,
    epoch: 2,
    members: members('a1', 'a2', 'b3'),
    outgoing: THREE.members,
  }
  const lostJoiner = find([...OTHERS, seen('h:3', 'c3')], joint)
  assert.equal(lostJoiner.kind === 'replaceable' && lostJoiner.lost.member.nodeId, 'b3')
  assert.equal(find([OTHERS[0]!, seen('h:2', 'new'), seen('h:3', 'b3')], joint).kind, 'beyond repair')
  const adding: Membership = {
    ...THREE,
    epoch: 2,
    members: members('a1', 'a2', 'a3', 'b4'),
    outgoing: THREE.members,
  }
  assert.equal(find([...OTHERS, seen('h:3', 'new'), seen('h:4', 'b4')], adding).kind, 'none')
})
