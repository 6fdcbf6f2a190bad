/**
 * Plans the next membership. Every change goes through a joint epoch (protocol.md §7), in which each quorum
 * needs both the members before the change and the members after it. The epoch after the joint one has the
 * new members alone.
 */
import { classicQuorum } from '../register/quorum.ts'
import { isJoint, joiningOf } from '../rpc/membership.ts'
import type { Member, Membership } from '../rpc/messages.ts'

/** Why a change was refused. Nothing was changed. */
export type ChangeRefusal = Readonly<{
  code:
    | 'member_not_found'
    | 'change_in_progress'
    | 'already_a_member'
    | 'too_few_members'
    | 'too_many_members'
    | 'members_unreachable'
  /** One or two sentences for people. */
  reason: string
}>

export type ChangePlan =
  | Readonly<{ kind: 'change'; membership: Membership }>
  | (Readonly<{ kind: 'refused' }> & ChangeRefusal)

export const MEMBERS_MIN = 3
export const MEMBERS_MAX = 7

/** Adds a member. */
export function planAdd(current: Membership, newcomer: Member): ChangePlan {
  const { members } = current
  if (isJoint(current)) return changeInProgress(current)
  if (hasMember(current, newcomer.nodeId)) return alreadyMember(newcomer)
  if (members.length >= MEMBERS_MAX) {
    return refused('too_many_members', `A cluster has at most ${MEMBERS_MAX} members; replace one instead.`)
  }
  if (members.length + 1 < MEMBERS_MIN) {
    return refused(
      'too_few_members',
      'Two members do not survive the loss of either, which is worse than one: start a cluster of 3 and restore a backup into it.',
    )
  }
  return handOver(current, [...members, newcomer])
}

/** Removes a member. If that node is still joining, the change that adds it is taken back. */
export function planRemove(current: Membership, nodeId: string): ChangePlan {
  const { members } = current
  if (!hasMember(current, nodeId)) return unknownMember(nodeId)
  if (isJoint(current)) {
    const isJoining = joiningOf(current).some((member) => member.nodeId === nodeId)
    return isJoining ? takeBack(current) : changeInProgress(current)
  }
  if (members.length <= MEMBERS_MIN) {
    return refused(
      'too_few_members',
      `A cluster keeps at least ${MEMBERS_MIN} members, because fewer survive no failure: replace the member, or add one first.`,
    )
  }
  return handOver(
    current,
    members.filter((member) => member.nodeId !== nodeId),
  )
}

/**
 * Replaces a member by a new node. If that member is still joining, the change goes on with the new node, to
 * which all data are copied from the start.
 */
export function planReplace(current: Membership, nodeId: string, newcomer: Member): ChangePlan {
  if (!hasMember(current, nodeId)) return unknownMember(nodeId)
  if (hasMember(current, newcomer.nodeId)) return alreadyMember(newcomer)
  const members = current.members.map((member) => (member.nodeId === nodeId ? newcomer : member))
  if (!isJoint(current)) return handOver(current, members)
  // Safe: the old members decide as before, and everything that was chosen had a quorum of them.
  const isJoining = joiningOf(current).some((member) => member.nodeId === nodeId)
  return isJoining ? change({ ...current, epoch: current.epoch + 1, members }) : changeInProgress(current)
}

/**
 * Refuses a change in which every decision would depend on the joining node. If that node failed before the
 * change ended, nothing could be decided any more, and so the change could not be taken back either.
 *
 * @param isReachable whether a node answers at the moment
 */
export function requireSpare(plan: ChangePlan, isReachable: (nodeId: string) => boolean): ChangePlan {
  if (plan.kind === 'refused' || plan.membership.outgoing === undefined) return plan
  const { members, outgoing } = plan.membership
  const known = members.filter(({ nodeId }) => outgoing.some((member) => member.nodeId === nodeId))
  const present = known.filter(({ nodeId }) => isReachable(nodeId))
  const needed = classicQuorum(members.length)
  if (present.length >= needed) return plan
  if (known.length < needed) {
    return refused(
      'too_few_members',
      'The only member of a cluster cannot be replaced, because no other member has the data: restore a backup into a new cluster.',
    )
  }
  const missing = known.filter((member) => !present.includes(member)).map(({ address }) => address)
  return refused(
    'members_unreachable',
    `Only ${present.length} of the ${known.length} members that stay answer (none from ${missing.join(', ')}), and ${needed} are ` +
      'needed so that nothing depends on the new node while it joins: bring the others back, or replace them first.',
  )
}

/** The epoch after a joint one: its new members decide alone. Propose it only after everything is sealed. */
export function finish({ outgoing: _, ...joint }: Membership): Membership {
  return { ...joint, epoch: joint.epoch + 1 }
}

function handOver(current: Membership, members: readonly Member[]): ChangePlan {
  return change({ ...current, epoch: current.epoch + 1, members, outgoing: current.members })
}

/** Back to the old members alone. Safe at any moment: everything that was chosen had a quorum of them. */
function takeBack(joint: Membership): ChangePlan {
  return change({ ...finish(joint), members: joint.outgoing ?? joint.members })
}

function change(membership: Membership): ChangePlan {
  return { kind: 'change', membership }
}

function hasMember({ members, outgoing = [] }: Membership, nodeId: string): boolean {
  return [...members, ...outgoing].some((member) => member.nodeId === nodeId)
}

function refused(code: ChangeRefusal['code'], reason: string): ChangePlan {
  return { kind: 'refused', code, reason }
}

function changeInProgress({ epoch }: Membership): ChangePlan {
  return refused(
    'change_in_progress',
    `The change that began with epoch ${epoch} is still under way, and only one can be: wait until it is finished.`,
  )
}

function unknownMember(nodeId: string): ChangePlan {
  return refused('member_not_found', `No member has the node id ${JSON.stringify(nodeId)}.`)
}

function alreadyMember({ nodeId, address }: Member): ChangePlan {
  return refused('already_a_member', `The node at ${address} (${nodeId}) is a member already.`)
}
