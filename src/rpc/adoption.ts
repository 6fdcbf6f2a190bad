import { isMemberOf } from './membership.ts'
import type { Membership, Mismatch, Recipient } from './messages.ts'

/** The id of a node, and the membership that it has adopted. `undefined`: the node is new. */
export type NodeIdentity = Mismatch

/**
 * What a node does when it is shown a chosen membership (protocol.md §7).
 * - `adopt`: the node enters the epoch of that membership before it acts on anything else.
 * - `ignore`: nothing changes. The membership is not newer, or is of another cluster, or the node is new and
 *   the membership does not name it.
 * - `leave`: the node was replaced or removed. It must never vote again.
 */
export type Adoption = 'adopt' | 'ignore' | 'leave'

/** What a node does when it is shown the membership `shown`. */
export function adoptionOf({ nodeId, membership }: NodeIdentity, shown: Membership): Adoption {
  if (membership === undefined) return isMemberOf(shown, nodeId) ? 'adopt' : 'ignore'
  const isNewer = shown.clusterId === membership.clusterId && shown.epoch > membership.epoch
  if (!isNewer) return 'ignore'
  return isMemberOf(shown, nodeId) ? 'adopt' : 'leave'
}

/**
 * Whether a node acts on what is sent to `recipient`: it is that node, in exactly that epoch of that cluster.
 * A node without a membership is in epoch 0 of the cluster `''`.
 */
export function isMeantFor({ nodeId, membership }: NodeIdentity, recipient: Recipient): boolean {
  return (
    recipient.nodeId === nodeId &&
    recipient.clusterId === (membership?.clusterId ?? '') &&
    recipient.epoch === (membership?.epoch ?? 0)
  )
}
