import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { anyKey, anyRecord } from '../../testing/message-arbitraries.ts'
import { DIGEST_END, digestOf, digestOfHash, leafOf, leafOfHash, readSecret } from './digest-hash.ts'
import { hashKey } from './key-hash.ts'

test('leaves and digests are the same on every node: these are written down', () => {
  const writeId = { proposerId: 7, sequence: 42 }
  const record = {
    ...EMPTY_RECORD,
    promised: { round: 2, proposerId: 0 },
    accepted: { round: 1, proposerId: 0 },
    state: { generation: 1, writeId, lineage: [writeId], value: undefined },
  }
  assert.equal(leafOf('group/payments'), 12245)
  assert.equal(digestOf('group/payments', record), 48186965262522)
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

test('a secret changes leaf and digest of a key, and the same secret gives the same', () => {
  const record = { ...EMPTY_RECORD, accepted: { round: 1, proposerId: 0 } }
  const [secret, same, other] = ['00c0ffee00c0ffee', '00c0ffee00c0ffee', '00c0ffee00c0ffef'].map(readSecret)
  fc.assert(
    fc.property(anyKey, (key) => {
      const hash = hashKey(key, secret!)
      assert.equal(leafOfHash(hash), leafOfHash(hashKey(key, same!)))
      assert.equal(digestOfHash(hash, record), digestOfHash(hashKey(key, same!), record))
      assert.notEqual(digestOfHash(hash, record), digestOfHash(hashKey(key, other!), record))
      assert.notEqual(digestOfHash(hash, record), digestOf(key, record))
    }),
  )
})

test('keys and ballots that differ in one bit spread over all leaves and digests', () => {
  const keys = Array.from({ length: 20_000 }, (_, i) => `group/${i}`)
  const leaves = new Set(keys.map((key) => leafOf(key) >>> 8))
  assert.equal(leaves.size, 256)
  const digests = new Set<number>()
  for (let round = 1; round <= 100; round += 1) {
    for (let proposerId = 0; proposerId < 100; proposerId += 1)
      digests.add(digestOf('group/a', { ...EMPTY_RECORD, accepted: { round, proposerId } }))
  }
  assert.equal(digests.size, 10_000)
})
