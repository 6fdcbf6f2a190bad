/** What background upkeep sees of the cluster that this engine follows. */
import type { Cluster } from '../../membership/cluster.ts'
import { isJoint } from '../../rpc/membership.ts'
import type { RemovalTarget } from '../../upkeep/removal/removal-target.ts'
import type { RepairTarget } from '../../upkeep/repair/repair-target.ts'

type FollowedCluster = Pick<Cluster, 'client' | 'membership' | 'nodes'>

/**
 * What there is to repair; `undefined` until the cluster is found, and while its membership is being changed:
 * the change itself touches every key, and a node that joins would seem to lack all of them.
 */
export function repairTargetOf({ client, membership, nodes }: FollowedCluster): RepairTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  const { clusterId, epoch } = membership
  return { clusterId, epoch, members: nodes, client }
}

/**
 * The members that removal needs the word of; `undefined` until the cluster is found, and while its
 * membership changes.
 */
export function removalTargetOf({ client, membership, nodes }: FollowedCluster): RemovalTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  return { client, members: nodes }
}
