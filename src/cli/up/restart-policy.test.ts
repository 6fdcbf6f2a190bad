import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RestartPolicy } from './restart-policy.ts'

test('a process that ran for a while is started again soon', () => {
  const policy = new RestartPolicy()
  assert.deepEqual(policy.onEnd(60_000), { delayMs: 200, quickEnds: 0 })
  assert.deepEqual(policy.onEnd(60_000), { delayMs: 200, quickEnds: 0 })
})

test('a process that keeps ending at its start waits twice as long each time, up to half a minute', () => {
  const policy = new RestartPolicy()
  const delays = Array.from({ length: 10 }, () => policy.onEnd(100).delayMs)
  assert.deepEqual(delays, [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000])
  assert.deepEqual(policy.onEnd(10_000), { delayMs: 200, quickEnds: 0 })
  assert.deepEqual(policy.onEnd(0), { delayMs: 200, quickEnds: 1 })
})

test('whatever happens, a delay is never below 200 ms nor above 30 s', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 2_000 }), (lives) => {
      const policy = new RestartPolicy()
      for (const livedMs of lives) {
        const { delayMs } = policy.onEnd(livedMs)
        assert.ok(delayMs >= 200 && delayMs <= 30_000)
      }
    }),
  )
})
