import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { BucketCounts } from './bucket-counts.ts'

test('an observation is in the bucket of the first bound that it does not exceed, or in the last', () => {
  const buckets = new BucketCounts([1, 10])
  for (const value of [0, 1, 1.5, 10, 11, 1e9]) buckets.observe(value)
  assert.deepEqual(buckets.counts, [2, 2, 2])
  assert.equal(buckets.sum, 23.5 + 1e9)
})

test('every observation is in exactly one bucket', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true })), (values) => {
      const buckets = new BucketCounts([0.5, 2, 7])
      for (const value of values) buckets.observe(value)
      assert.equal(buckets.count, values.length)
      assert.equal(buckets.counts[0], values.filter((value) => value <= 0.5).length)
    }),
  )
})
