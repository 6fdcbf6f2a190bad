/**
 * Whether a newer membership that some node tells of may be believed (protocol.md §7). Pure.
 *
 * A connector that follows a membership shows it to every node, and a node that is shown a newer membership
 * without its own name never votes again. So one node alone, whose disk or memory has gone wrong, could end a
 * cluster with a membership that was never chosen.
 */
import { isClassicQuorum, type NodeSet } from '../register/quorum.ts'
import { nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Membership, Mismatch } from '../rpc/messages.ts'

/** What a node says of itself: who it is, and which membership it is in. */
export type Claim = Mismatch

/** A single node is not believed: its disk or its memory may have gone wrong. */
const CONFIRMING_MIN = 2

/**
 * Whether nodes confirm that `newer` was chosen some time after `older`, both of one cluster. A node confirms
 * it by being in the same epoch with the same members, or in a later one.
 *
 * A classic quorum of the nodes of `older` confirms it, or one of the nodes of `newer`: nodes that left
 * have ended, and of the others a minority may be down. Where `newer` is joint, a quorum of its new members
 * is enough: of the old ones, those that were away during the change know nothing of it. Either way it takes
 * at least two nodes.
 */
export function isConfirmed(newer: Membership, older: Membership, claims: readonly Claim[]): boolean {
  const confirming = new Set(
    claims.filter(({ membership }) => confirms(membership, newer)).map(({ nodeId }) => nodeId),
  )
  if (confirming.size < CONFIRMING_MIN) return false
  return [older, newer, withoutOutgoing(newer)].some((membership) => isQuorumOf(membership, confirming))
}

/**
 * The newest membership of the cluster of `current` that is newer and confirmed; `undefined`: there is none.
 */
export function newestConfirmed(current: Membership, claims: readonly Claim[]): Membership | undefined {
  return claims
    .flatMap(({ membership }) => membership ?? [])
    .filter(({ clusterId, epoch }) => clusterId === current.clusterId && epoch > current.epoch)
    .sort((a, b) => b.epoch - a.epoch)
    .find((newer) => isConfirmed(newer, current, claims))
}

/** Whether two memberships of one epoch are the same one; where they differ, one of them was never chosen. */
export function isSameMembership(a: Membership, b: Membership): boolean {
  return a.epoch === b.epoch && a.clusterId === b.clusterId && namesOf(a) === namesOf(b)
}

function confirms(known: Membership | undefined, newer: Membership): boolean {
  if (known === undefined || known.clusterId !== newer.clusterId) return false
  return known.epoch > newer.epoch || isSameMembership(known, newer)
}

function withoutOutgoing({ outgoing: _, ...membership }: Membership): Membership {
  return membership
}

function isQuorumOf(membership: Membership, nodeIds: ReadonlySet<string>): boolean {
  const nodes = nodesOfEpoch(membership).reduce<NodeSet>(
    (set, { nodeId }, index) => (nodeIds.has(nodeId) ? set | (1 << index) : set),
    0,
  )
  return isClassicQuorum(nodes, quorumsOfMembership(membership))
}

/** Addresses are left out: a member that has moved is still that member. */
function namesOf({ members, outgoing }: Membership): string {
  return JSON.stringify([members, outgoing ?? []].map((nodes) => nodes.map(({ nodeId }) => nodeId).sort()))
}
