/** What background upkeep needs of the cluster that this engine follows. */
import type { Cluster } from '../../membership/cluster.ts'
import { isJoint } from '../../rpc/membership.ts'
import type { HealingTarget } from '../../upkeep/healing/healing.ts'
import type { RemovalTarget } from '../../upkeep/removal/removal-target.ts'
import type { RepairTarget } from '../../upkeep/repair/repair-target.ts'

type FollowedCluster = Pick<Cluster, 'client' | 'membership' | 'nodes'>

/**
 * What repair works on. `undefined` until the cluster is found, and while its membership changes: the change
 * itself handles every key, and repair would find that a joining node lacks all keys.
 */
export function repairTargetOf({ client, membership, nodes }: FollowedCluster): RepairTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  const { clusterId, epoch } = membership
  return { clusterId, epoch, members: nodes, client }
}

/** What there is to heal, also while the membership changes; `undefined` until the cluster is found. */
export function healingTargetOf({ client, nodes }: FollowedCluster): HealingTarget | undefined {
  return client === undefined ? undefined : { client, members: nodes }
}

/**
 * What removal works on. It needs an answer of every member. `undefined` until the cluster is found, and
 * while its membership changes.
 */
export function removalTargetOf({ client, membership, nodes }: FollowedCluster): RemovalTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  return { client, members: nodes }
}
