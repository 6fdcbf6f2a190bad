import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Freshness } from './freshness.ts'

const LIFE_MS = 3_000

/** Batches of a stream, as [sent, arrived], by two clocks that differ by an hour. */
function judge(batches: readonly (readonly [number, number])[], rate = 1): boolean[] {
  const freshness = new Freshness()
  return batches.map(([sentMs, arrivedMs]) =>
    freshness.isFresh({ sentMs, lifeMs: LIFE_MS }, 3_600_000 + rate * arrivedMs),
  )
}

test('a batch that took longer than the fastest of its stream by more than its life is not fresh', () => {
  assert.deepEqual(
    judge([
      [0, 2],
      [100, 101],
      [200, 3_190],
      [300, 3_400],
      [5_000, 5_001],
    ]),
    [true, true, true, false, true],
  )
})

test('batches that a stopped node finds in its sockets are not fresh, however long it was stopped', () => {
  const hourMs = 3_600_000
  assert.deepEqual(
    judge([
      [0, 1],
      [500, 501],
      [510, hourMs],
      [hourMs, hourMs + 1],
    ]),
    [true, true, false, true],
  )
})

test('clocks that run apart by 100 millionths do not make batches stale in a week', () => {
  const weekMs = 7 * 24 * 3_600_000
  const beats = Array.from(
    { length: (2 * weekMs) / 60_000 },
    (_, index) => [30_000 * index, 30_000 * index + 1] as const,
  )
  for (const rate of [1 - 1e-4, 1 + 1e-4]) assert.ok(judge(beats, rate).every(Boolean))
})

test('a batch without a life is always fresh', () => {
  const freshness = new Freshness()
  assert.ok(freshness.isFresh({ sentMs: 0, lifeMs: 0 }, 5))
  assert.ok(freshness.isFresh({ sentMs: 0, lifeMs: 0 }, 5e9))
})
