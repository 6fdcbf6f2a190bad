import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../api/status-schemas.ts'
import type { ApiClient } from './api-client.ts'
import { CommandFailure } from './failure.ts'
import { toFailure } from './group-command.ts'
import type { Patience } from './patiently.ts'

/** How long a connector that has just started may take to find its nodes, in milliseconds. */
const START_PATIENCE_MS = 5_000
const PAUSE_MS = 250

/**
 * The cluster that a connector serves, as soon as `isEnough` returns true for its status.
 *
 * @throws CommandFailure at once when no connector answers; after five seconds when `isEnough` is still false
 */
export async function findCluster(
  client: Pick<ApiClient, 'cluster'>,
  url: string,
  {
    isEnough,
    nowMs,
    signal,
  }: Pick<Patience, 'nowMs' | 'signal'> & Readonly<{ isEnough: (status: ClusterStatus) => boolean }>,
): Promise<ClusterStatus> {
  const untilMs = nowMs() + START_PATIENCE_MS
  while (true) {
    const reply = await client.cluster()
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    if (isEnough(reply.value)) return reply.value
    const { reason } = reply.value
    if (nowMs() > untilMs) throw new CommandFailure(`the cluster at ${url} is unavailable: ${reason}`)
    await sleep(PAUSE_MS, undefined, { signal })
  }
}
