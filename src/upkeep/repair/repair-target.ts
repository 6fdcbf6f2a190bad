import type { NodeLink } from '../../replication/links/node-link.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import type { NodeTransport } from '../../rpc/transport.ts'

/** A node that repair compares with the others, and repairs. */
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
