/** Schedules of the world of watches with the code as it ships. */
import assert from 'node:assert/strict'
import { WATCH_RULES } from './watch-rules.ts'
import { runWatch } from './watch-world.ts'

/** Asserts that no change is missed in the schedules of the seeds from 1 on. */
export function assertWatchesHold(seeds: number): void {
  let givenCount = 0
  let settledCount = 0
  for (let seed = 1; seed <= seeds; seed += 1) {
    const run = runWatch(seed, WATCH_RULES)
    assert.equal(run.failure, undefined, `seed ${seed}: ${run.failure?.message}`)
    givenCount += run.givenCount
    settledCount += run.settledCount
  }
  assert.ok(givenCount > 5 * seeds && settledCount > 5 * seeds, `${givenCount} reads, ${settledCount} places`)
}
