/** What background upkeep sees of the cluster that this engine follows. */
import type { Cluster } from '../../membership/cluster.ts'
import { isJoint } from '../../rpc/membership.ts'
import type { RemovalTarget } from '../../upkeep/removal/removal-target.ts'
import type { RepairTarget } from '../../upkeep/repair/repair-target.ts'

type FollowedCluster = Pick<Cluster, 'client' | 'membership' | 'keySources'>

/**
 * What there is to repair; `undefined` until the cluster is found, and while its membership is being changed: the
 * change itself touches every key, and a node that joins would seem to lack all of them.
 */
export function repairTargetOf({
  client,
  membership,
  keySources,
}: FollowedCluster): RepairTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  const { clusterId, epoch } = membership
  const members = keySources.map(({ transport, recipient: { nodeId } }, index) => ({
    nodeId,
    link: client.links[index]!,
    transport,
  }))
  return { clusterId, epoch, members, client }
}

/** The members that removal needs the word of; `undefined` until the cluster is found, and while its membership changes. */
export function removalTargetOf({
  client,
  membership,
  keySources,
}: FollowedCluster): RemovalTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  const members = keySources.map((source, index) => ({ ...source, link: client.links[index]! }))
  return { client, members }
}
