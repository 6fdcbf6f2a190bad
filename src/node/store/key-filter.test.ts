import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyFilter } from './key-filter.ts'
import { hashKey } from './key-hash.ts'

function hashOf(index: number) {
  return hashKey(`group/${index}`, [1, 2])
}

test('every key that was added may be there, however many more come than were expected', () => {
  const filter = new KeyFilter(100)
  for (let index = 0; index < 10_000; index += 1) filter.add(hashOf(index))
  for (let index = 0; index < 10_000; index += 1) assert.ok(filter.mayHave(hashOf(index)))
})

test('few of the keys that were not added may be there: 0.2 % as expected, 1 % after much growth', () => {
  for (const [expected, most] of [
    [50_000, 0.002],
    [1_000, 0.01],
  ] as const) {
    const filter = new KeyFilter(expected)
    for (let index = 0; index < 50_000; index += 1) filter.add(hashOf(index))
    let wrong = 0
    for (let index = 50_000; index < 150_000; index += 1) if (filter.mayHave(hashOf(index))) wrong += 1
    assert.ok(wrong <= most * 100_000, `${wrong} of 100,000`)
  }
})
