import type { GroupReplicas } from '../../../api/status-schemas.ts'
import type { ClusterSnapshot } from '../../../membership/cluster-snapshot.ts'
import type { Clock } from '../../../process/clock.ts'
import { isDamage } from '../../../register/damage.ts'
import type { Divergences } from '../../../replication/divergence.ts'
import type { ReplicasView } from '../../engine.ts'
import { GROUP_NAMESPACE } from '../group-registry.ts'
import { describeReplicas } from './describe-replicas.ts'
import { readReplicas } from './read-replicas.ts'

/** How long a node may take to say what it holds for one group. */
const REPLICA_DEADLINE_MS = 1_000

export type ReplicasOptions = Readonly<{
  snapshot: () => ClusterSnapshot
  /** It is given the answers of the members, so that a divergence is noticed here too. */
  divergences: Pick<Divergences, 'observe'>
  clock: Clock
}>

/** Asks each member what it holds for a group. */
export class ClusterReplicasView implements ReplicasView {
  readonly #options: ReplicasOptions

  constructor(options: ReplicasOptions) {
    this.#options = options
  }

  async describe(groupId: string): Promise<GroupReplicas | undefined> {
    const { snapshot, divergences, clock } = this.#options
    const cluster = snapshot()
    if (cluster.kind === 'searching') return undefined
    const key = GROUP_NAMESPACE + groupId
    const reads = await readReplicas(cluster.members, key, { clock, deadlineMs: REPLICA_DEADLINE_MS })
    const answered = reads.flatMap(({ nodeId, record }) =>
      record === undefined || isDamage(record) ? [] : [{ nodeId, record }],
    )
    return describeReplicas(groupId, reads, divergences.observe(key, answered))
  }
}
