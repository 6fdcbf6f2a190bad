import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leafOf } from '../../node/store/digest-hash.ts'
import { aRecord, MemoryMember } from '../../testing/memory-member.ts'
import { type Look, lookAtDigests } from './digest-look.ts'

function look(members: readonly MemoryMember[]): Promise<Look | undefined> {
  const client = { settle: () => assert.fail('not used'), judge: () => assert.fail('not used') }
  return lookAtDigests({ clusterId: 'c', epoch: 1, members, client }, () => 0.4)
}

const KEYS = Array.from({ length: 500 }, (_, index) => `group/${index}`)
const ALL = KEYS.map((key) => [key, aRecord(1, [1])] as const)

test('equal nodes are compared by their branches alone', async () => {
  const members = ['n1', 'n2', 'n3'].map((nodeId) => new MemoryMember(nodeId, ALL))
  const seen = await look(members)
  assert.equal(seen?.leaves.size, 0)
  for (const { asked } of members) assert.deepEqual(asked, ['digest 0'])
})

test('the leaves that differ are those of the keys that differ in ballot, in write, or in existence', async () => {
  const other = new Map(ALL)
  other.delete(KEYS[3]!)
  other.set(KEYS[5]!, aRecord(2, [1]))
  other.set(KEYS[8]!, aRecord(1, [2]))
  const members = [new MemoryMember('n1', ALL), new MemoryMember('n2', [...other])]
  const seen = await look(members)
  const expected = [KEYS[3]!, KEYS[5]!, KEYS[8]!].map(leafOf).sort()
  assert.deepEqual([...seen!.leaves.keys()].sort(), expected)
  for (const [one, two] of seen!.leaves.values()) assert.notEqual(one, two)
})

test('a node that lacks everything differs in every leaf that there is', async () => {
  const seen = await look([new MemoryMember('n1', ALL), new MemoryMember('n2')])
  assert.equal(seen?.leaves.size, new Set(KEYS.map(leafOf)).size)
})

test('members that are suspect, or do not answer, are left out; a single member is not compared', async () => {
  const [one, two, three, four] = ['n1', 'n2', 'n3', 'n4'].map((nodeId) => new MemoryMember(nodeId, ALL))
  two!.isSuspect = true
  three!.isLost = true
  const seen = await look([one!, two!, three!, four!])
  assert.deepEqual(
    seen?.members.map(({ nodeId }) => nodeId),
    ['n1', 'n4'],
  )
  assert.deepEqual(two!.asked, [])
  assert.equal(await look([one!, two!, three!]), undefined)
})

test('an answer of another length, which a node of another epoch gives, is ignored', async () => {
  const [one, two, foreign] = ['n1', 'n2', 'n3'].map((nodeId) => new MemoryMember(nodeId, ALL))
  foreign!.digest = async () => ({ digests: [], mismatch: { nodeId: 'n3', membership: undefined } })
  const seen = await look([one!, two!, foreign!])
  assert.deepEqual(
    seen?.members.map(({ nodeId }) => nodeId),
    ['n1', 'n2'],
  )
})
