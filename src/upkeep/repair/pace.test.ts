import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Pace } from './pace.ts'

/** How many have begun at the end of each step of `stepMs`. */
async function begun(perSecondMax: number, steps: readonly number[]): Promise<number[]> {
  const clock = new ManualClock()
  const pace = new Pace(perSecondMax, clock)
  let count = 0
  void (async () => {
    for (;;) {
      await pace.take()
      count += 1
      // A loop that never waits would never let the test go on.
      assert.ok(count < 10_000)
    }
  })()
  const counts: number[] = []
  for (const stepMs of steps) {
    clock.advance(stepMs)
    await turn()
    counts.push(count)
  }
  return counts
}

test('no more begin in a second than the limit', async () => {
  const steps = Array<number>(1_000).fill(1)
  const counts = await begun(100, steps)
  for (const [index, count] of counts.entries()) {
    const elapsedMs = index + 1
    assert.ok(count <= 4 + elapsedMs / 10, `${count} in ${elapsedMs} ms`)
    assert.ok(count >= elapsedMs / 10, `${count} in ${elapsedMs} ms`)
  }
})

test('a share that a long pause left unused is not used later', async () => {
  const clock = new ManualClock()
  const pace = new Pace(1_000, clock)
  await pace.take()
  clock.advance(60_000)
  let count = 0
  void (async () => {
    while (count < 1_000) {
      await pace.take()
      count += 1
    }
  })()
  await turn()
  assert.ok(count >= 20 && count <= 22, `${count} at once`)
})
