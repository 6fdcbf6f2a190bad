import type { NodeLink } from '../replication/links/node-link.ts'
import type { Member, Recipient } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import type { NodeDirectory } from './node-directory.ts'

/**
 * One node of one epoch, with everything that a connector needs to work with it. It is made when the epoch is
 * opened.
 */
export class EpochNode {
  readonly member: Member
  /** The recipient of its requests: this node, in this epoch. */
  readonly recipient: Recipient
  readonly link: NodeLink
  readonly #directory: NodeDirectory

  constructor(member: Member, recipient: Recipient, link: NodeLink, directory: NodeDirectory) {
    this.member = member
    this.recipient = recipient
    this.link = link
    this.#directory = directory
  }

  get nodeId(): string {
    return this.member.nodeId
  }

  /** Where the node was last seen, as host:port. */
  get address(): string {
    return this.#directory.addressOf(this.member)
  }

  /** The transport to that address. Do not keep it: a node may move within an epoch. */
  get transport(): NodeTransport {
    return this.#directory.transportOf(this.member)
  }
}
