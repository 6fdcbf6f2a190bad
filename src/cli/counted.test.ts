import assert from 'node:assert/strict'
import { test } from 'node:test'
import { counted, countedContents } from './counted.ts'

test('one thing is named in the singular, and a long count has its commas', () => {
  assert.deepEqual(
    [0, 1, 2, 12_345].map((count) => counted(count, 'node')),
    ['0 nodes', '1 node', '2 nodes', '12,345 nodes'],
  )
  assert.equal(countedContents(1_001, 1), '1,001 groups and 1 member')
  assert.equal(countedContents(1, 0), '1 group')
})
