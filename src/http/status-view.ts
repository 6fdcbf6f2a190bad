import type { ClusterStatus, GroupReplicas } from '../api/status-schemas.ts'

/** What the HTTP layer shows of the nodes behind the registry. */
export interface StatusView {
  /** At once, whatever the nodes do. */
  describe(): ClusterStatus
  /** Soon, whatever the nodes do. `undefined` until the cluster is found. */
  replicas(groupId: string): Promise<GroupReplicas | undefined>
}
