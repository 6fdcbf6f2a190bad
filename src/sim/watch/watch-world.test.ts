import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WATCH_MUTATIONS, WATCH_RULES } from './watch-rules.ts'
import { runWatch } from './watch-world.ts'

const SEEDS = 2_000

test(`no change is missed in ${SEEDS} schedules of calls, reads, votes and restarts`, () => {
  let givenCount = 0
  let settledCount = 0
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const run = runWatch(seed, WATCH_RULES)
    assert.equal(run.failure, undefined, `seed ${seed}: ${run.failure?.message}`)
    givenCount += run.givenCount
    settledCount += run.settledCount
  }
  assert.ok(givenCount > 5 * SEEDS && settledCount > 5 * SEEDS, `${givenCount} reads, ${settledCount} places`)
})

for (const { name, rules, seedsMax } of WATCH_MUTATIONS) {
  test(`the checker notices when ${name}`, (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { failure } = runWatch(seed, rules)
      if (failure === undefined) continue
      t.diagnostic(`seed ${seed}: ${failure.message}`)
      return
    }
    assert.fail(`not noticed in ${seedsMax} seeds`)
  })
}
