import type { Handover } from '../../membership/key-transfer.ts'
import { type ChangePlan, planAdd, planRemove, planReplace } from '../../membership/plan-change.ts'
import { TOMBSTONE_GRACE_MS_MIN } from '../../register/grace-time.ts'
import { isJoint, joiningOf, nodesOfEpoch } from '../../rpc/membership.ts'
import type { Member, Membership, Recipient } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'
import type { Change } from './action.ts'

/** One chosen membership, and what follows from it. */
export type Epoch = Readonly<{
  number: number
  membership: Membership
  handover: Handover
  /** The nodes of its rounds, by their numbers in the world. A proposer uses their indexes in this list. */
  nodes: readonly number[]
  /** By the number of a node: how messages of this epoch name it as their recipient. */
  recipients: readonly (Recipient | undefined)[]
  /** The nodes that are joining, by their numbers in the world. */
  joining: readonly number[]
  isJoint: boolean
}>

/** The id of a node, by its number from 0. */
export function nodeIdOf(node: number): string {
  return `n${node}`
}

export function numberOf({ nodeId }: Pick<Member, 'nodeId'>): number {
  return Number(nodeId.slice(1))
}

/** The first membership of a cluster of `nodeCount` nodes. */
export function firstMembership(nodeCount: number): Membership {
  const members = Array.from({ length: nodeCount }, (_, node) => memberOf(nodeIdOf(node)))
  return { clusterId: 'c', epoch: 1, members, tombstoneGraceMs: TOMBSTONE_GRACE_MS_MIN }
}

/** A node at an address of its own. */
export function memberOf(nodeId: string): Member {
  return { nodeId, address: `${nodeId}:1` }
}

export function epochOf(membership: Membership, protocol: Protocol): Epoch {
  const members = nodesOfEpoch(membership)
  const nodes = members.map(numberOf)
  const joining = joiningOf(membership).map(numberOf)
  const { clusterId, epoch } = membership
  const recipients: Recipient[] = []
  for (const member of members) recipients[numberOf(member)] = { clusterId, epoch, nodeId: member.nodeId }
  const quorums = isJoint(membership)
    ? protocol.membership.quorumsOf(membership)
    : protocol.quorumsOf(members.length)
  return {
    number: epoch,
    membership,
    handover: { quorums, joining: joining.reduce((set, node) => set | (1 << nodes.indexOf(node)), 0) },
    nodes,
    recipients,
    joining,
    isJoint: isJoint(membership),
  }
}

/** The real plan of a change, for which `newcomer` is at hand. */
export function planOf(change: Change, current: Membership, newcomer: Member): ChangePlan {
  if (change.kind === 'add') return planAdd(current, newcomer)
  const nodeId = nodeIdOf(change.member)
  return change.kind === 'remove' ? planRemove(current, nodeId) : planReplace(current, nodeId, newcomer)
}

/** The sets of nodes that each need a quorum, as numbers of nodes. */
export function configurationsOf({ membership }: Epoch): readonly (readonly number[])[] {
  const { members, outgoing } = membership
  return (outgoing === undefined ? [members] : [outgoing, members]).map((set) => set.map(numberOf))
}

/** An epoch as a report writes it: `epoch 2 (n0 n1 n2 → n0 n1 n3)`. */
export function formatEpoch(epoch: Epoch): string {
  const sets = configurationsOf(epoch).map((set) => set.map(nodeIdOf).join(' '))
  return `epoch ${epoch.number} (${sets.join(' → ')})`
}
