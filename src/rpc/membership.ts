import { jointQuorums, type NodeSet, type Quorums, quorumsOf } from '../register/quorum.ts'
import type { Member, Membership } from './messages.ts'

/**
 * The nodes that rounds of this epoch are sent to. Their order is that of the indexes in
 * `quorumsOfMembership`: the members, or, in a joint epoch, the outgoing ones and behind them those that are
 * joining.
 */
export function nodesOfEpoch(membership: Membership): readonly Member[] {
  return [...(membership.outgoing ?? membership.members).map(newestAddress), ...joiningOf(membership)]

  function newestAddress(member: Member): Member {
    return membership.members.find(({ nodeId }) => nodeId === member.nodeId) ?? member
  }
}

/** Which of the nodes of an epoch decide. */
export function quorumsOfMembership(membership: Membership): Quorums {
  if (membership.outgoing === undefined) return quorumsOf(membership.members.length)
  const nodes = nodesOfEpoch(membership)
  return jointQuorums(setOf(nodes, membership.outgoing), setOf(nodes, membership.members))
}

/** Whether a change of the membership is under way. */
export function isJoint({ outgoing }: Membership): boolean {
  return outgoing !== undefined
}

/** Those that a change adds; nobody in an epoch without one. */
export function joiningOf({ members, outgoing }: Membership): readonly Member[] {
  return outgoing === undefined ? [] : members.filter(({ nodeId }) => !has(outgoing, nodeId))
}

/** Those that a change takes out; nobody in an epoch without one. */
export function leavingOf({ members, outgoing }: Membership): readonly Member[] {
  return (outgoing ?? []).filter(({ nodeId }) => !has(members, nodeId))
}

/** Whether a node takes part in this epoch. */
export function isMemberOf({ members, outgoing }: Membership, nodeId: string): boolean {
  return has(members, nodeId) || (outgoing !== undefined && has(outgoing, nodeId))
}

function has(members: readonly Member[], nodeId: string): boolean {
  return members.some((member) => member.nodeId === nodeId)
}

function setOf(nodes: readonly Member[], members: readonly Member[]): NodeSet {
  return nodes.reduce((set, { nodeId }, index) => (has(members, nodeId) ? set | (1 << index) : set), 0)
}
