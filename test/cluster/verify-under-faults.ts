/** `cohort verify` on a cluster with faults of every kind. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { wreak } from './chaos.ts'
import { startCommand } from './command.ts'
import { LocalCluster } from './local-cluster.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/**
 * The faults end a little before the clients, so that the last operations are answered and the groups can be
 * deleted.
 */
const QUIET_MS = 2_000
/**
 * The time that a run takes after its end: faults are mended, and the groups are deleted when the cluster is
 * back.
 */
const END_MS = 60_000

/**
 * Checks that clients see one linearizable history for this many seconds of kills, stops and broken networks,
 * and that no process ends by itself or logs an error.
 *
 * @returns what happened, for the log
 */
export async function verifyUnderFaults(seconds: number): Promise<string> {
  await using directory = await temporaryDirectory()
  await using cluster = await LocalCluster.start({ connectors: 3, isProxied: true })
  const seed = Date.now() % 2 ** 31
  await using verify = startCommand(
    'verify',
    ...['--seconds', String(seconds), '--history', join(directory.path, 'history.jsonl')],
    ...cluster.connectors.flatMap(({ url }) => ['--url', url]),
  )
  const counts = await wreak(cluster, seed, AbortSignal.timeout(seconds * 1_000 - QUIET_MS))
  const exitCode = await verify.exit(END_MS)
  const story = `faults of seed ${seed}: ${JSON.stringify(Object.fromEntries(counts))}\n${verify.output}`
  assert.equal(exitCode, 0, story)
  assert.match(verify.output, /^verdict +linearizable$/m)
  assert.match(verify.output, /^cleaned up +all groups$/m)
  // The run proves something only if operations met faults and others succeeded.
  assert.match(verify.output, /unknown: [1-9]/, story)
  for (const kind of ['creates', 'reads', '(?:updates|deletes)', '(?:adds|puts)', 'checks'])
    assert.match(verify.output, new RegExp(`^${kind} +done: [1-9]`, 'm'), story)
  assert.equal(counts.size, 12, 'every kind of fault has happened')
  for (const { name, output, exitCodes } of cluster.services) {
    assert.deepEqual(exitCodes, [], `${name} ended by itself:\n${output.slice(-2_000)}`)
    const errors = output.split('\n').filter((line) => /"level":(50|60)/.test(line))
    assert.deepEqual(errors, [], `${name} has logged errors`)
  }
  return story
}
