import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Latency } from './latency.ts'

const BOUNDS = { hedgeMsMin: 10, hedgeMsMax: 250 }

test('the hedge time is the upper bound until something was observed', () => {
  assert.equal(new Latency(BOUNDS).hedgeMs, 250)
})

test('the hedge time follows the usual latency, and a steady latency is not late', () => {
  const latency = new Latency(BOUNDS)
  for (let i = 0; i < 100; i += 1) latency.observe(i % 2 === 0 ? 20 : 24)
  assert.ok(latency.hedgeMs > 24 && latency.hedgeMs < 60, `${latency.hedgeMs}`)
})

test('the hedge time keeps its bounds whatever was observed', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })), (observations) => {
      const latency = new Latency(BOUNDS)
      for (const observation of observations) latency.observe(observation)
      assert.ok(latency.hedgeMs >= BOUNDS.hedgeMsMin && latency.hedgeMs <= BOUNDS.hedgeMsMax)
    }),
  )
})

test('one answer after seconds raises the hedge time little, and a few slow ones raise it to what they take', () => {
  const latency = new Latency(BOUNDS)
  for (let i = 0; i < 100; i += 1) latency.observe(5)
  latency.observe(3_000)
  assert.ok(latency.hedgeMs < 3 * BOUNDS.hedgeMsMin, `${latency.hedgeMs}`)
  for (let i = 0; i < 4; i += 1) latency.observe(80)
  assert.ok(latency.hedgeMs > 80, `${latency.hedgeMs}`)
})
