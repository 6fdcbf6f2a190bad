import { test } from 'node:test'
import { assertNoticed } from '../notice.ts'
import { assertWatchesHold } from './searches.ts'
import { WATCH_MUTATIONS } from './watch-rules.ts'
import { runWatch } from './watch-world.ts'

/** test/long/searches.test.ts runs more. */
const SEEDS = 400

test(`no change is missed in ${SEEDS} schedules of calls, reads, votes and restarts`, () => {
  assertWatchesHold(SEEDS)
})

for (const { name, rules, ...suspects } of WATCH_MUTATIONS) {
  test(`the checker notices when ${name}`, async (t) => {
    await assertNoticed(t, suspects, (seed) => runWatch(seed, rules).failure)
  })
}
