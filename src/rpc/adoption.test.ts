import assert from 'node:assert/strict'
import { test } from 'node:test'
import { adoptionOf, isMeantFor } from './adoption.ts'
import type { Membership } from './messages.ts'

function membership(epoch: number, nodeIds: string, clusterId = 'c'): Membership {
  const members = [...nodeIds].map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
  return { clusterId, epoch, members, tombstoneGraceMs: 1 }
}

const NEW = { nodeId: 'a', membership: undefined }
const IN_EPOCH_2 = { nodeId: 'a', membership: membership(2, 'abc') }

test('a new node adopts any membership that names it, and ignores one that does not', () => {
  assert.equal(adoptionOf(NEW, membership(5, 'abc')), 'adopt')
  assert.equal(adoptionOf(NEW, membership(5, 'bcd')), 'ignore')
})

test('a node adopts a newer membership of its cluster, and no older or equal one', () => {
  assert.equal(adoptionOf(IN_EPOCH_2, membership(3, 'abd')), 'adopt')
  assert.equal(adoptionOf(IN_EPOCH_2, membership(2, 'abd')), 'ignore')
  assert.equal(adoptionOf(IN_EPOCH_2, membership(1, 'abd')), 'ignore')
})

test('a node leaves when a newer membership of its cluster does not name it, and only then', () => {
  assert.equal(adoptionOf(IN_EPOCH_2, membership(3, 'bcd')), 'leave')
  assert.equal(adoptionOf(IN_EPOCH_2, membership(1, 'bcd')), 'ignore')
})

test('a node that is leaving in a joint epoch is still one of its members', () => {
  const joint: Membership = { ...membership(3, 'bcd'), outgoing: membership(2, 'abc').members }
  assert.equal(adoptionOf(IN_EPOCH_2, joint), 'adopt')
})

test('a membership of another cluster is ignored, however new it is', () => {
  assert.equal(adoptionOf(IN_EPOCH_2, membership(9, 'abc', 'other')), 'ignore')
  assert.equal(adoptionOf(IN_EPOCH_2, membership(9, 'bcd', 'other')), 'ignore')
})

test('a node acts only on messages for itself, in its cluster, in exactly its epoch', () => {
  assert.ok(isMeantFor(IN_EPOCH_2, { nodeId: 'a', clusterId: 'c', epoch: 2 }))
  assert.ok(!isMeantFor(IN_EPOCH_2, { nodeId: 'b', clusterId: 'c', epoch: 2 }))
  assert.ok(!isMeantFor(IN_EPOCH_2, { nodeId: 'a', clusterId: 'other', epoch: 2 }))
  assert.ok(!isMeantFor(IN_EPOCH_2, { nodeId: 'a', clusterId: 'c', epoch: 1 }))
  assert.ok(!isMeantFor(IN_EPOCH_2, { nodeId: 'a', clusterId: 'c', epoch: 3 }))
})

test('a new node acts on messages for a node without a membership', () => {
  assert.ok(isMeantFor(NEW, { nodeId: 'a', clusterId: '', epoch: 0 }))
  assert.ok(!isMeantFor(NEW, { nodeId: 'a', clusterId: 'c', epoch: 1 }))
})
