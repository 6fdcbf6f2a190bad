import type { ClusterStatus, GroupReplicas } from '../../../api/status-schemas.ts'
import type { StatusView } from '../../../http/status-view.ts'
import type { ClusterSnapshot } from '../../../membership/cluster-snapshot.ts'
import type { Clock } from '../../../process/clock.ts'
import type { Divergences } from '../../../replication/divergence.ts'
import type { Description } from '../../../rpc/messages.ts'
import type { LagSource } from '../../../upkeep/repair/lag-source.ts'
import { GROUP_NAMESPACE } from '../group-registry.ts'
import { describeCluster } from './describe-cluster.ts'
import { describeReplicas } from './describe-replicas.ts'
import { readReplicas } from './read-replicas.ts'

/** How long a node may take to say what it holds for one group. */
const REPLICA_DEADLINE_MS = 1_000

export type StatusOptions = Readonly<{
  snapshot: () => ClusterSnapshot
  /** What the node at an address said of itself a moment ago. */
  latest: (address: string) => Description | undefined
  lag: LagSource
  divergences: Divergences
  clock: Clock
}>

/** What the HTTP layer shows of the cluster: from what is known already, or, for one group, from the nodes themselves. */
export class ClusterStatusView implements StatusView {
  readonly #options: StatusOptions

  constructor(options: StatusOptions) {
    this.#options = options
  }

  describe(): ClusterStatus {
    const { snapshot, latest, lag, divergences } = this.#options
    return describeCluster(snapshot(), { latest, lag, divergences: divergences.open })
  }

  async replicas(groupId: string): Promise<GroupReplicas | undefined> {
    const { snapshot, divergences, clock } = this.#options
    const cluster = snapshot()
    if (cluster.kind === 'searching') return undefined
    const key = GROUP_NAMESPACE + groupId
    const reads = await readReplicas(cluster.members, key, { clock, deadlineMs: REPLICA_DEADLINE_MS })
    const answered = reads.flatMap(({ nodeId, record }) => (record === undefined ? [] : [{ nodeId, record }]))
    return describeReplicas(groupId, reads, divergences.observe(key, answered))
  }
}
