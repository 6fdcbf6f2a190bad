/** How long backup and restore wait for a cluster, in milliseconds. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'
import { CommandFailure } from '../failure.ts'
import { toFailure } from '../group-command.ts'
import type { Patience } from '../patiently.ts'

/** How long a connector that has just been started may take to find its nodes. */
const START_PATIENCE_MS = 5_000
/** How long a cluster that has answered once may be unavailable: a connector or nodes may restart. */
export const PATIENCE_MS = 20_000
export const PAUSE_MS = 250

/**
 * The cluster that the connector serves, as soon as it can serve.
 *
 * @throws CommandFailure at once when no connector answers; after some seconds when too few nodes do
 */
export async function findCluster(
  client: Pick<ApiClient, 'cluster'>,
  url: string,
  { nowMs, signal }: Pick<Patience, 'nowMs' | 'signal'>,
): Promise<{ clusterId: string; epoch: number }> {
  const untilMs = nowMs() + START_PATIENCE_MS
  while (true) {
    const reply = await client.cluster()
    if (reply.kind !== 'answered') throw toFailure(reply, url)
    const { clusterId, epoch, verdict, reason } = reply.value
    if (clusterId !== null && epoch !== null && verdict !== 'unavailable') return { clusterId, epoch }
    if (nowMs() > untilMs) throw new CommandFailure(`the cluster behind ${url} is unavailable: ${reason}`)
    await sleep(PAUSE_MS, undefined, { signal })
  }
}
