import { classicQuorum } from '../register/quorum.ts'
import { isJoint, joiningOf, leavingOf } from '../rpc/membership.ts'
import type { Member } from '../rpc/messages.ts'
import type { ClusterSnapshot, MemberSnapshot, PendingReplacement } from './cluster-snapshot.ts'
import { describeChange } from './describe-change.ts'
import type { Replacement } from './disks.ts'
import type { Epoch } from './epoch.ts'
import type { TransferProgress } from './transfer-claim.ts'

/** What is known in addition to the epoch. `loss`: as in the snapshot. */
export type Findings = Readonly<{
  progress: TransferProgress | undefined
  loss: string | undefined
  pending: Replacement | undefined
  nowMs: number
}>

/** What is known about the cluster of this epoch at this moment. */
export function takeSnapshot(
  { membership, client, nodes }: Epoch,
  { progress, loss, pending, nowMs }: Findings,
): ClusterSnapshot {
  const { clusterId, epoch, members, outgoing } = membership
  const joining = joiningOf(membership)
  const leaving = leavingOf(membership)
  const share = progress === undefined ? undefined : progress.done / Math.max(1, progress.total)
  const roleOf = (node: Member): MemberSnapshot['role'] =>
    has(joining, node) ? 'joining' : has(leaving, node) ? 'leaving' : 'voting'
  return {
    kind: 'found',
    clusterId,
    epoch,
    quorum: classicQuorum((outgoing ?? members).length),
    isQuorumReachable: client.isQuorumReachable,
    members: nodes.map(({ member, nodeId, address, link }) => {
      const role = roleOf(member)
      return { nodeId, address, link, role, progress: role === 'joining' ? share : undefined }
    }),
    change: isJoint(membership) ? describeChange(joining, leaving, progress) : undefined,
    loss,
    replacement: pendingOf(nodes, pending, nowMs),
  }
}

/**
 * The replacement that is pending. `undefined` also if the member is back, but the next look is still to
 * come.
 */
function pendingOf(
  nodes: Epoch['nodes'],
  pending: Replacement | undefined,
  nowMs: number,
): PendingReplacement | undefined {
  if (pending === undefined) return undefined
  const { member, newcomer, dueMs } = pending
  const isAway = nodes.some(({ nodeId, link }) => nodeId === member.nodeId && !link.isReachable)
  if (!isAway) return undefined
  const { nodeId: newNodeId, address } = newcomer
  return { nodeId: member.nodeId, newNodeId, address, inMs: Math.max(0, dueMs - nowMs) }
}

function has(members: readonly Member[], { nodeId }: Member): boolean {
  return members.some((member) => member.nodeId === nodeId)
}
