/** How patient backup and restore are with a cluster, in milliseconds. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ApiClient } from '../api-client.ts'
import { CommandFailure } from '../failure.ts'
import { toFailure } from '../group-command.ts'
import type { Patience } from '../patiently.ts'

/** How long a connector that has just been started may take to find its nodes. */
const START_PATIENCE_MS = 5_000
/** How long a cluster that has answered may be away: a connector is started again, or nodes are. */
export const PATIENCE_MS = 20_000
export const PAUSE_MS = 250

/**
 * The cluster behind the connector, once it can serve.
 *
 * @throws CommandFailure when no connector answers (at once), or too few nodes do
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
