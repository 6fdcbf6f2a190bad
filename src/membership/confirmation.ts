/**
 * Whether a connector may believe a newer membership that some node reports (protocol.md §7). Pure.
 *
 * A connector that follows a membership shows it to every node. A node that is shown a newer membership which
 * does not name it never votes again. So a single node with a bad disk or memory could end a cluster with a
 * membership that was never chosen.
 */
import { classicQuorum } from '../register/quorum.ts'
import type { Description, Member, Membership, Mismatch } from '../rpc/messages.ts'
import { decodeMembership } from './membership-register.ts'

/** What a node says about itself: its id, and the membership that it is in. */
export type Claim = Mismatch &
  Readonly<{
    /** The membership that the node has last accepted in the register. It may be chosen or not. */
    vote?: Membership | undefined
  }>

/** What a node that has answered says about itself. */
export function claimOf({ nodeId, membership, membershipVote }: Description): Claim {
  return membershipVote === undefined
    ? { nodeId, membership }
    : { nodeId, membership, vote: readVote(membershipVote) }
}

/** A single node is not enough: its disk or its memory may be bad. */
const WITNESSES_MIN = 2

/**
 * Whether nodes confirm that `newer` was chosen after `older`, both of one cluster. A node *reports* `newer`
 * if it is in the same epoch with the same members. A node *supports* `newer` if it has voted for it. At
 * least one node must report it, because a membership with votes need not be chosen. A node in a later epoch
 * says nothing about `newer`: it does not tell who the members were before.
 *
 * The nodes that report or support it must be a classic quorum less one of the nodes of `older`, or of the
 * new members, and at least two. A quorum less one is enough, because a classic quorum has chosen it, and one
 * of those nodes may have lost its disk since. The new members count too, because nodes that left may have
 * stopped, and nodes that were down during the change do not know of it.
 */
export function isConfirmed(newer: Membership, older: Membership, claims: readonly Claim[]): boolean {
  const telling = claims.filter(
    ({ membership }) => membership !== undefined && isSameMembership(membership, newer),
  )
  if (telling.length === 0) return false
  const voting = claims.filter(({ vote }) => vote !== undefined && isSameMembership(vote, newer))
  const witnesses = new Set([...telling, ...voting].map(({ nodeId }) => nodeId))
  const { members, outgoing = members } = older
  return (
    (areEnough(witnesses, members) && areEnough(witnesses, outgoing)) || areEnough(witnesses, newer.members)
  )
}

/**
 * The newest membership that is newer than `current`, of the same cluster, and confirmed. `undefined`: none.
 */
export function newestConfirmed(current: Membership, claims: readonly Claim[]): Membership | undefined {
  return claims
    .flatMap(({ membership }) => membership ?? [])
    .filter(({ clusterId, epoch }) => clusterId === current.clusterId && epoch > current.epoch)
    .sort((a, b) => b.epoch - a.epoch)
    .find((newer) => isConfirmed(newer, current, claims))
}

/** Whether two memberships of one epoch are equal. If they differ, one of them was never chosen. */
export function isSameMembership(a: Membership, b: Membership): boolean {
  return a.epoch === b.epoch && a.clusterId === b.clusterId && namesOf(a) === namesOf(b)
}

function areEnough(witnesses: ReadonlySet<string>, members: readonly Member[]): boolean {
  const count = members.filter(({ nodeId }) => witnesses.has(nodeId)).length
  return count >= Math.max(WITNESSES_MIN, classicQuorum(members.length) - 1)
}

/** `undefined`: the value is not a membership. */
function readVote(value: Uint8Array): Membership | undefined {
  try {
    return decodeMembership(value)
  } catch {
    return undefined
  }
}

/** Addresses are left out, because a member that has moved is still the same member. */
function namesOf({ members, outgoing }: Membership): string {
  return JSON.stringify([members, outgoing ?? []].map((nodes) => nodes.map(({ nodeId }) => nodeId).sort()))
}
