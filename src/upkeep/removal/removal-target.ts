import type { NodeLink } from '../../replication/links/node-link.ts'
import type { RegisterClient } from '../../replication/register-client.ts'
import type { Recipient } from '../../rpc/messages.ts'
import type { NodeTransport } from '../../rpc/transport.ts'

/** A member of the cluster. Nothing is removed without its answer. */
export type RemovalMember = Readonly<{
  /** The recipient of its scans: this node, in this epoch. */
  recipient: Recipient
  link: Pick<NodeLink, 'isReachable' | 'send'>
  transport: Pick<NodeTransport, 'scan'>
}>

/** All members of the cluster, in one epoch. Another epoch has another `client`. */
export type RemovalTarget = Readonly<{
  members: readonly RemovalMember[]
  client: Pick<RegisterClient, 'settle'>
}>
