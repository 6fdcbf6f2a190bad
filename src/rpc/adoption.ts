import { isMemberOf } from './membership.ts'
import type { Membership, Mismatch, Recipient } from './messages.ts'

/** Who a node is, and the membership that it has adopted; `undefined`: it is new. */
export type NodeIdentity = Mismatch

/**
 * What a node does when it is shown a chosen membership (protocol.md §7).
 * - `adopt`: it is in the epoch of that membership from now on, before it acts on anything else.
 * - `ignore`: it stays as it is. The membership is not newer, is of another cluster, or does not name a node
 *   that is new.
 * - `leave`: it was replaced or removed. It must never vote again.
 */
export type Adoption = 'adopt' | 'ignore' | 'leave'

/** What a node does when it is shown `shown`. */
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
