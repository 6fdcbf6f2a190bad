import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Chance } from './chance.ts'

function draws(seed: number, count: number): number[] {
  const chance = new Chance(seed)
  return Array.from({ length: count }, () => chance.uniform())
}

test('a seed draws the same numbers each time, and another seed draws others', () => {
  assert.deepEqual(draws(7, 100), draws(7, 100))
  assert.notDeepEqual(draws(7, 4), draws(8, 4))
  assert.notDeepEqual(draws(7, 4), draws(7 + 2 ** 32, 4))
})

test('numbers are spread evenly over the range', () => {
  const chance = new Chance(1)
  const counts: number[] = Array(10).fill(0)
  for (let i = 0; i < 100_000; i += 1) counts[chance.below(10)]! += 1
  for (const count of counts) assert.ok(count > 9_500 && count < 10_500)
})

test('bounds are inclusive', () => {
  const chance = new Chance(1)
  const drawn = new Set(Array.from({ length: 200 }, () => chance.between(3, 5)))
  assert.deepEqual([...drawn].sort(), [3, 4, 5])
})
