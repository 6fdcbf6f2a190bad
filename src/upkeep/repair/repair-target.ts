import type { Cluster } from '../../membership/cluster.ts'
import type { NodeLink } from '../../replication/links/node-link.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import { isJoint } from '../../rpc/membership.ts'
import type { NodeTransport } from '../../rpc/transport.ts'

/** A node that repair compares with the others, and mends. */
export type RepairMember = Readonly<{
  nodeId: string
  link: Pick<NodeLink, 'isReachable' | 'isSuspect' | 'send'>
  transport: Pick<NodeTransport, 'digest' | 'scan'>
}>

/** The cluster as it is in one epoch. */
export type RepairTarget = Readonly<{
  clusterId: string
  epoch: number
  members: readonly RepairMember[]
  client: Pick<RegisterClient, 'settle' | 'judge'>
}>

/**
 * What there is to repair of a cluster; `undefined` until it is found, and while its membership is being changed: that
 * touches every key anyway, and who is joining would seem to lag with all of them.
 */
export function repairTargetOf({
  client,
  membership,
  keySources,
}: Pick<Cluster, 'client' | 'membership' | 'keySources'>): RepairTarget | undefined {
  if (client === undefined || membership === undefined || isJoint(membership)) return undefined
  const { clusterId, epoch } = membership
  const members = keySources.map(({ transport, recipient: { nodeId } }, index) => ({
    nodeId,
    link: client.links[index]!,
    transport,
  }))
  return { clusterId, epoch, members, client }
}
