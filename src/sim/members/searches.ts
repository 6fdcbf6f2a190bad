/** Runs of the world of group members with the code as it ships. */
import assert from 'node:assert/strict'
import { runMembers } from './member-world.ts'

/** Asserts that no rule breaks in the runs of the first seeds, and that they make every kind of change. */
export async function assertMembersHold(seeds: number): Promise<void> {
  const changes = new Map<string, number>()
  let sweptCount = 0
  for (let seed = 1; seed <= seeds; seed += 1) {
    const run = await runMembers(seed)
    assert.equal(run.failure, undefined, `seed ${seed}: ${run.failure?.message}`)
    sweptCount += run.sweptCount
    for (const [kind, count] of run.changes) changes.set(kind, (changes.get(kind) ?? 0) + count)
  }
  for (const kind of ['create', 'restore', 'delete', 'put', 'remove'])
    assert.ok((changes.get(kind) ?? 0) > seeds / 10, `${kind}: ${changes.get(kind)}`)
  assert.ok(sweptCount > seeds / 10, `${sweptCount} were swept`)
}
