/** How long backup and restore wait for a cluster, in milliseconds. */
import type { ClusterStatus } from '../../api/status-schemas.ts'

/** How long a cluster that has answered once may be unavailable: a connector or nodes may restart. */
export const PATIENCE_MS = 20_000
export const PAUSE_MS = 250

/** Whether a cluster is found and enough of its nodes answer. */
export function canServe({ clusterId, verdict }: ClusterStatus): boolean {
  return clusterId !== null && verdict !== 'unavailable'
}
