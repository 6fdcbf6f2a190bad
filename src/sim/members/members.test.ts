import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoticed } from '../notice.ts'
import { MEMBER_MUTATIONS } from './member-mutations.ts'
import { runMembers } from './member-world.ts'
import { assertMembersHold } from './searches.ts'

/** test/long/searches.test.ts runs more. */
const SEEDS = 300

test(`no rule of group members breaks in ${SEEDS} runs, and they reach every kind of change`, async () => {
  await assertMembersHold(SEEDS)
})

test('the same seed gives the same run', async () => {
  for (let seed = 1; seed <= 10; seed += 1)
    assert.deepEqual((await runMembers(seed)).lines, (await runMembers(seed)).lines)
})

for (const { name, rules, ...suspects } of MEMBER_MUTATIONS) {
  test(`the checkers notice when ${name}`, async (t) => {
    await assertNoticed(t, suspects, async (seed) => (await runMembers(seed, rules)).failure)
  })
}
