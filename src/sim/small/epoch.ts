import { type ChangePlan, planAdd, planRemove, planReplace } from '../../membership/plan-change.ts'
import type { Quorums } from '../../register/quorum.ts'
import { isJoint, joiningOf, nodesOfEpoch } from '../../rpc/membership.ts'
import type { Member, Membership } from '../../rpc/messages.ts'
import type { Protocol } from '../protocol.ts'
import type { Change } from './action.ts'

/** One chosen membership, and what follows from it. */
export type Epoch = Readonly<{
  number: number
  membership: Membership
  quorums: Quorums
  /** The nodes of its rounds, by their numbers in the world; a proposer knows them by their indexes here. */
  nodes: readonly number[]
  /** Those that are joining, by their indexes in `nodes`. */
  joining: readonly number[]
  isJoint: boolean
}>

/** The node of a number, from 0, as memberships name it. */
export function memberOf(node: number): Member {
  return { nodeId: `n${node}`, address: `n${node}:1` }
}

/** The first epoch of a cluster of `nodeCount` nodes. */
export function firstEpoch(nodeCount: number, protocol: Protocol): Epoch {
  const members = Array.from({ length: nodeCount }, (_, node) => memberOf(node))
  return epochOf({ clusterId: 'c', epoch: 1, members, tombstoneGraceMs: 1 }, protocol)
}

export function epochOf(membership: Membership, protocol: Protocol): Epoch {
  const members = nodesOfEpoch(membership)
  const joining = joiningOf(membership).map(({ nodeId }) =>
    members.findIndex((member) => member.nodeId === nodeId),
  )
  return {
    number: membership.epoch,
    membership,
    quorums: isJoint(membership)
      ? protocol.membership.quorumsOf(membership)
      : protocol.quorumsOf(members.length),
    nodes: members.map(({ nodeId }) => numberOf(nodeId)),
    joining,
    isJoint: isJoint(membership),
  }
}

/** The real plan of a change, for which `newcomer` is at hand. */
export function planOf(change: Change, current: Membership, newcomer: Member): ChangePlan {
  if (change.kind === 'add') return planAdd(current, newcomer)
  const { nodeId } = memberOf(change.member)
  return change.kind === 'remove' ? planRemove(current, nodeId) : planReplace(current, nodeId, newcomer)
}

/** The sets of nodes of whom each must have its quorum, by the numbers of the nodes. */
export function configurationsOf({ membership }: Epoch): readonly (readonly number[])[] {
  const { members, outgoing } = membership
  return (outgoing === undefined ? [members] : [outgoing, members]).map((set) =>
    set.map(({ nodeId }) => numberOf(nodeId)),
  )
}

/** As a report names it: `epoch 2 (n1 n2 n3 → n1 n2 n4)`. */
export function formatEpoch(epoch: Epoch): string {
  const sets = configurationsOf(epoch).map((set) => set.map((node) => `n${node + 1}`).join(' '))
  return `epoch ${epoch.number} (${sets.join(' → ')})`
}

/** The number of the node that memberships name so. */
export function numberOf(nodeId: string): number {
  return Number(nodeId.slice(1))
}
