import { TOMBSTONE_GRACE_MS_MAX, TOMBSTONE_GRACE_MS_MIN } from '../register/grace-time.ts'
import { jointQuorums, type NodeSet, type Quorums, quorumsOf } from '../register/quorum.ts'
import { EPOCH_MAX, NAME_LENGTH_MAX } from './limits.ts'
import type { Member, Membership } from './messages.ts'

/**
 * The key of the register that holds the membership. A node without a membership votes only on keys in
 * `cluster/`.
 */
export const MEMBERSHIP_KEY = 'cluster/membership'

/** Members of one configuration. */
const MEMBERS_MAX = 7

/** A name, an IPv4 address, or an IPv6 address in brackets; and a port. */
const ADDRESS = /^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\]):\d{1,5}$/i

const HASH_SECRET = /^[0-9a-f]{16}$/

/**
 * The nodes to which rounds of this epoch are sent. Their order is that of the indexes in
 * `quorumsOfMembership`: the members; in a joint epoch, the outgoing members and after them the joining ones.
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

/** The nodes that a change adds. None in an epoch that is not joint. */
export function joiningOf({ members, outgoing }: Membership): readonly Member[] {
  return outgoing === undefined ? [] : members.filter(({ nodeId }) => !has(outgoing, nodeId))
}

/** The nodes that a change removes. None in an epoch that is not joint. */
export function leavingOf({ members, outgoing }: Membership): readonly Member[] {
  return (outgoing ?? []).filter(({ nodeId }) => !has(members, nodeId))
}

/** Whether a node takes part in this epoch. */
export function isMemberOf({ members, outgoing }: Membership, nodeId: string): boolean {
  return has(members, nodeId) || (outgoing !== undefined && has(outgoing, nodeId))
}

/**
 * What is wrong with a membership that was read from bytes. `undefined`: it is a valid membership. Everything
 * on which the rest of the program relies is checked here.
 */
export function faultOf({
  clusterId,
  epoch,
  members,
  outgoing = [],
  tombstoneGraceMs,
  hashSecret,
}: Membership): string | undefined {
  if (!isName(clusterId)) return 'a membership names no cluster'
  if (!isWhole(epoch, 1, EPOCH_MAX)) return `a membership has the epoch ${epoch}`
  if (!isWhole(tombstoneGraceMs, TOMBSTONE_GRACE_MS_MIN, TOMBSTONE_GRACE_MS_MAX))
    return `a membership has a grace time of tombstones of ${tombstoneGraceMs} ms`
  if (hashSecret !== undefined && !HASH_SECRET.test(hashSecret))
    return 'a membership has a hash secret that is not 16 hexadecimal digits'
  if (members.length === 0) return 'a membership has no members'
  for (const configuration of [members, outgoing]) {
    if (configuration.length > MEMBERS_MAX) return `a membership has more than ${MEMBERS_MAX} members`
    for (const { nodeId, address } of configuration) {
      if (!isName(nodeId)) return 'a member has no node id'
      // Connectors connect to this address, so it must be a host and a port, and nothing else.
      if (!isName(address) || !ADDRESS.test(address)) return 'a member has an address that is not host:port'
    }
    if (new Set(configuration.map(({ nodeId }) => nodeId)).size < configuration.length)
      return 'a membership names a node twice'
  }
  return undefined
}

function isName(text: string): boolean {
  return typeof text === 'string' && text !== '' && text.length <= NAME_LENGTH_MAX
}

function isWhole(number: number, min: number, max: number): boolean {
  return Number.isSafeInteger(number) && number >= min && number <= max
}

function has(members: readonly Member[], nodeId: string): boolean {
  return members.some((member) => member.nodeId === nodeId)
}

function setOf(nodes: readonly Member[], members: readonly Member[]): NodeSet {
  return nodes.reduce((set, { nodeId }, index) => (has(members, nodeId) ? set | (1 << index) : set), 0)
}
