/** Runs of whole systems with the code as it ships. */
import assert from 'node:assert/strict'
import type { Membership } from '../../rpc/messages.ts'
import { PROTOCOL } from '../protocol.ts'
import { type LargeRun, runLarge } from './world.ts'

/** How a change of the membership ended. */
type Change = 'added' | 'removed' | 'replaced' | 'taken back' | 'exchanged'

/** The changes of the membership that a run shows, from its memberships in order. */
function changesOf(memberships: readonly Membership[]): Change[] {
  return memberships.flatMap(({ members, outgoing }, index) => {
    const next = memberships[index + 1]
    if (outgoing === undefined || next === undefined) return []
    if (next.outgoing !== undefined) return 'exchanged'
    if (isSame(next.members, outgoing)) return 'taken back'
    if (members.length === outgoing.length) return 'replaced'
    return members.length > outgoing.length ? 'added' : 'removed'
  })
}

function isSame(some: Membership['members'], others: Membership['members']): boolean {
  return some.map(({ nodeId }) => nodeId).join() === others.map(({ nodeId }) => nodeId).join()
}

/**
 * Asserts that no rule breaks in the runs of these seeds, and that every system recovers. Together they must
 * reach every kind of change of the membership, and disks that are lost, come back, and spoil records.
 */
export async function assertSystemsHold(seeds: readonly number[]): Promise<void> {
  const runs: LargeRun[] = []
  for (const seed of seeds) {
    const run = await runLarge(seed, PROTOCOL)
    runs.push(run)
    assert.equal(run.failure, undefined, `seed ${seed}, ${run.description}: ${run.failure?.message}`)
  }
  const changes = Map.groupBy(
    runs.flatMap(({ memberships }) => changesOf(memberships)),
    (change) => change,
  )
  for (const change of ['added', 'removed', 'replaced', 'taken back', 'exchanged'] as const)
    assert.ok((changes.get(change)?.length ?? 0) >= 2, `${change}: ${changes.get(change)?.length ?? 0} times`)
  assert.ok(runs.some(({ lostDiskCount }) => lostDiskCount > 0))
  assert.ok(runs.some(({ returnedDiskCount }) => returnedDiskCount > 0))
  assert.ok(runs.filter(({ spoiledCount }) => spoiledCount > 0).length >= 3)
}
