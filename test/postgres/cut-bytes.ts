/** Changes whose connection is cut after each byte of the statement, and of its answer. */
import assert from 'node:assert/strict'
import { createGroup } from '../../src/group/create-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { type Direction, TcpProxy } from '../cluster/tcp-proxy.ts'
import { anEngine, emptyDatabase } from './shared-trio.ts'
import type { Trio } from './trio.ts'

const NOW = '2026-01-01T00:00:00.000Z'
/** More than a statement and its answer have, with the preparation of the statement. */
const BYTES_MAX = 4_000

/**
 * Cuts connections of changes after 0 bytes, after `step` bytes, and so on, until a change is through before
 * its cut. Asserts that each change was made, and once.
 *
 * @returns how many changes were cut
 */
export async function cutAtBytes(trio: Trio, direction: Direction, step: number): Promise<number> {
  const database = await emptyDatabase(trio)
  await using proxy = await TcpProxy.start(trio.primary.port)
  await using started = await anEngine(trio.url(database, [proxy]))
  const { registry } = started.engine
  const change = async (groupId: string) => {
    const command = createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: groupId })
    const outcome = await registry.change(groupId, command)
    assert.ok(
      outcome.kind === 'done' && outcome.value.kind === 'changed',
      `${groupId}: ${JSON.stringify(outcome)}`,
    )
  }
  await change('warm')
  for (let bytes = 0, count = 0; bytes < BYTES_MAX; bytes += step, count += 1) {
    proxy.cutAfter(direction, bytes)
    await change(`cut-${bytes}`)
    const isThrough = proxy.isArmed(direction)
    proxy.heal()
    const read = await registry.read(`cut-${bytes}`)
    assert.ok(read.kind === 'done' && read.value?.version === 1, JSON.stringify(read))
    if (isThrough) return count
  }
  return assert.fail('a change is longer than expected')
}
