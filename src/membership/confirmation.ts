/**
 * Whether a newer membership that some node tells of may be believed (protocol.md §7). Pure.
 *
 * A connector that follows a membership shows it to every node, and a node that is shown a newer membership
 * without its own name never votes again. So one node alone, whose disk or memory has gone wrong, could end a
 * cluster with a membership that was never chosen.
 */
import { classicQuorum } from '../register/quorum.ts'
import type { Description, Member, Membership, Mismatch } from '../rpc/messages.ts'
import { decodeMembership } from './membership-register.ts'

/** What a node says of itself: who it is, and which membership it is in. */
export type Claim = Mismatch &
  Readonly<{
    /** The membership that it has accepted last in the register, which may be chosen or not. */
    vote?: Membership | undefined
  }>

/** What a node that was seen says of itself. */
export function claimOf({ nodeId, membership, membershipVote }: Description): Claim {
  return membershipVote === undefined
    ? { nodeId, membership }
    : { nodeId, membership, vote: readVote(membershipVote) }
}

/** A single node is not believed: its disk or its memory may have gone wrong. */
const WITNESSES_MIN = 2

/**
 * Whether nodes confirm that `newer` was chosen some time after `older`, both of one cluster. A node tells of
 * it that is in the same epoch with the same members, or in a later one. A node bears it out that has voted
 * for it. One node at least must tell of it, because what has votes need not be chosen.
 *
 * A classic quorum of the nodes of `older` or of the new ones is needed, less one, and two nodes at least.
 * Less one, because it was chosen by a classic quorum, and one of that quorum may have lost its disk since.
 * The new ones count too, because nodes that left have ended, and those that were away know nothing of it.
 */
export function isConfirmed(newer: Membership, older: Membership, claims: readonly Claim[]): boolean {
  const telling = claims.filter(({ membership }) => tells(membership, newer))
  if (telling.length === 0) return false
  const voting = claims.filter(({ vote }) => vote !== undefined && isSameMembership(vote, newer))
  const witnesses = new Set([...telling, ...voting].map(({ nodeId }) => nodeId))
  const { members, outgoing = members } = older
  return (
    (areEnough(witnesses, members) && areEnough(witnesses, outgoing)) || areEnough(witnesses, newer.members)
  )
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

function tells(known: Membership | undefined, newer: Membership): boolean {
  if (known === undefined || known.clusterId !== newer.clusterId) return false
  return known.epoch > newer.epoch || isSameMembership(known, newer)
}

function areEnough(witnesses: ReadonlySet<string>, members: readonly Member[]): boolean {
  const count = members.filter(({ nodeId }) => witnesses.has(nodeId)).length
  return count >= Math.max(WITNESSES_MIN, classicQuorum(members.length) - 1)
}

/** `undefined`: the value is no membership. */
function readVote(value: Uint8Array): Membership | undefined {
  try {
    return decodeMembership(value)
  } catch {
    return undefined
  }
}

/** Addresses are left out: a member that has moved is still that member. */
function namesOf({ members, outgoing }: Membership): string {
  return JSON.stringify([members, outgoing ?? []].map((nodes) => nodes.map(({ nodeId }) => nodeId).sort()))
}
