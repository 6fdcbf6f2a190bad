import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RoundTripTimes } from './round-trip-times.ts'

test('there are no figures before the first round trip', () => {
  assert.equal(new RoundTripTimes().percentiles(), undefined)
})

test('percentiles are times that were observed, the p99 not the longest of many', () => {
  const times = new RoundTripTimes()
  times.observe(7)
  assert.deepEqual(times.percentiles(), { p50: 7, p99: 7 })
  for (let timeMs = 1; timeMs <= 200; timeMs += 1) times.observe(timeMs)
  assert.deepEqual(times.percentiles(), { p50: 100, p99: 198 })
})

test('old round trips are forgotten', () => {
  const times = new RoundTripTimes()
  for (let count = 0; count < 1_000; count += 1) times.observe(500)
  for (let count = 0; count < 256; count += 1) times.observe(1)
  assert.deepEqual(times.percentiles(), { p50: 1, p99: 1 })
})
