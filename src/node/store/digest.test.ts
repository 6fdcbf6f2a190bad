import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { LEAVES_PER_BRANCH } from '../../rpc/messages.ts'
import { anyKey, anyRecord } from '../../testing/message-arbitraries.ts'
import { DIGEST_END, DigestTree, digestOf, leafOf } from './digest.ts'

test('leaves and digests are the same on every node: these are written down', () => {
  const writeId = { proposerId: 7, sequence: 42 }
  const record = {
    ...EMPTY_RECORD,
    promised: { round: 2, proposerId: 0 },
    accepted: { round: 1, proposerId: 0 },
    state: { generation: 1, writeId, lineage: [writeId], value: undefined },
  }
  assert.equal(leafOf('group/payments'), 48398)
  assert.equal(digestOf('group/payments', record), 41083330116036)
})

test('a digest is in its range, and 0 exactly where nothing was accepted', () => {
  fc.assert(
    fc.property(anyKey, anyRecord, (key, record) => {
      const digest = digestOf(key, record)
      assert.ok(Number.isSafeInteger(digest) && digest >= 0 && digest < DIGEST_END)
      if (record.accepted === undefined) assert.equal(digest, 0)
    }),
  )
})

test('promises and marks do not count: they are no difference to repair', () => {
  fc.assert(
    fc.property(anyKey, anyRecord, (key, record) => {
      const other = { ...record, promised: { round: 9e15, proposerId: 1 }, chosen: !record.chosen }
      assert.equal(digestOf(key, other), digestOf(key, record))
    }),
  )
})

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
