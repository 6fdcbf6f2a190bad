import type { ClusterStatus } from '../../../api/status-schemas.ts'
import type { ClusterSnapshot } from '../../../membership/cluster-snapshot.ts'
import type { Divergences } from '../../../replication/divergence.ts'
import type { Description } from '../../../rpc/messages.ts'
import type { LagSource } from '../../../upkeep/repair/lag-source.ts'
import type { StatusView } from '../../engine.ts'
import { describeCluster, type Knowledge } from './describe-cluster.ts'

export type StatusOptions = Readonly<{
  snapshot: () => ClusterSnapshot
  /** What the node at an address has last said about itself. */
  latest: (address: string) => Description | undefined
  /** Why the last answer of the node at an address could not be used. */
  problem: (address: string) => string | undefined
  lag: LagSource
  divergences: Pick<Divergences, 'open'>
  notices: Knowledge['notices']
}>

/** The state of the cluster, as far as this connector knows it without asking. */
export class ClusterStatusView implements StatusView {
  readonly #options: StatusOptions

  constructor(options: StatusOptions) {
    this.#options = options
  }

  describe(): ClusterStatus {
    const { snapshot, latest, problem, lag, divergences, notices } = this.#options
    return describeCluster(snapshot(), { latest, problem, lag, divergences: divergences.open, notices })
  }
}
