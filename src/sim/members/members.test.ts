import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MEMBER_MUTATIONS } from './member-mutations.ts'
import { runMembers } from './member-world.ts'

const SEEDS = 2_000

test(`no rule of group members breaks in ${SEEDS} runs, and they reach every kind of change`, async () => {
  const changes = new Map<string, number>()
  let sweptCount = 0
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const run = await runMembers(seed)
    assert.equal(run.failure, undefined, `seed ${seed}: ${run.failure?.message}`)
    sweptCount += run.sweptCount
    for (const [kind, count] of run.changes) changes.set(kind, (changes.get(kind) ?? 0) + count)
  }
  for (const kind of ['create', 'restore', 'delete', 'put', 'remove'])
    assert.ok((changes.get(kind) ?? 0) > SEEDS / 10, `${kind}: ${changes.get(kind)}`)
  assert.ok(sweptCount > SEEDS / 10, `${sweptCount} were swept`)
})

test('the same seed gives the same run', async () => {
  for (let seed = 1; seed <= 20; seed += 1)
    assert.deepEqual((await runMembers(seed)).lines, (await runMembers(seed)).lines)
})

for (const { name, rules, seedsMax } of MEMBER_MUTATIONS) {
  test(`the checkers notice when ${name}`, async (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { failure } = await runMembers(seed, rules)
      if (failure === undefined) continue
      t.diagnostic(`seed ${seed}: ${failure.message}`)
      return
    }
    assert.fail(`not noticed in ${seedsMax} seeds`)
  })
}
