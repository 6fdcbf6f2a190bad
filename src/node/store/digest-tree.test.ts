import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LEAVES_PER_BRANCH } from '../../rpc/messages.ts'
import { DIGEST_END } from './digest-hash.ts'
import { DigestTree } from './digest-tree.ts'

test('a tree does not depend on the order of the changes, and forgets what was taken out', () => {
  const anyChange = fc.tuple(fc.integer({ min: 0, max: 65_535 }), fc.integer({ min: 0, max: DIGEST_END - 1 }))
  fc.assert(
    fc.property(fc.array(anyChange), fc.array(anyChange), (kept, removed) => {
      const expected = new DigestTree()
      for (const [leaf, digest] of kept) expected.replace(leaf, 0, digest)
      const tree = new DigestTree()
      for (const [leaf, digest] of removed) tree.replace(leaf, 0, digest)
      for (const [leaf, digest] of kept.toReversed()) tree.replace(leaf, 0, digest)
      for (const [leaf, digest] of removed) tree.replace(leaf, digest, 0)
      assert.deepEqual(tree, expected)
    }),
  )
})

test('a branch is the sum of its leaves', () => {
  const tree = new DigestTree()
  const branch = 3
  const first = branch * LEAVES_PER_BRANCH
  tree.replace(first, 0, DIGEST_END - 1)
  tree.replace(first + 255, 0, 5)
  assert.equal(tree.leavesOf(branch)[0], DIGEST_END - 1)
  assert.equal(tree.leavesOf(branch)[255], 5)
  assert.equal(tree.branches[branch], 4)
  assert.equal(tree.branches[branch + 1], 0)
})
