/**
 * What one key needs before a joint epoch may end (protocol.md §7, sealing). Pure: `transfer.ts` drives it
 * over links, the simulator message by message.
 *
 *   listed ─────────▶ settle ─────────▶ ask ─────────▶ done
 *      │        not     ▲     decided    │   all joining
 *      │        sealed  │                │   nodes have it
 *      │                └────────────────┘
 *      │                  one lacks it, or
 *      │                  does not answer
 *      └───────────────────────────────────────────────▶ done
 *         sealed already
 */
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { type Ballot, compareBallots } from '../register/ballot.ts'
import { isDamage } from '../register/damage.ts'
import { highestAccepted, type Records } from '../register/known-chosen.ts'
import type { Holding, KeyRecord } from '../register/messages.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'
import { joiningOf, nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'
import { isSealed } from './is-sealed.ts'

/** Who hands over to whom in a joint epoch. Nodes are named by their indexes in `nodesOfEpoch`. */
export type Handover = Readonly<{ quorums: Quorums; joining: NodeSet }>

/** How far the transfer of a key is, which says what it wants next. */
export type KeyTransfer =
  /** A classic round of this epoch that changes nothing; `afterRound` takes its end. */
  | Readonly<{ kind: 'settle'; listed: Ballot | undefined }>
  /** The records of the nodes in `missing`, read after the round; `afterAnswer` takes each of them. */
  | Readonly<{ kind: 'ask'; listed: Ballot | undefined; missing: NodeSet }>
  | Readonly<{ kind: 'done' }>

const DONE: KeyTransfer = { kind: 'done' }

export function handoverOf(membership: Membership, quorums = quorumsOfMembership(membership)): Handover {
  const joining = joiningOf(membership)
  return {
    quorums,
    joining: nodesOfEpoch(membership).reduce(
      (set, { nodeId }, index) => (joining.some((node) => node.nodeId === nodeId) ? set | (1 << index) : set),
      0,
    ),
  }
}

/**
 * Whether what these nodes list are all keys that need a transfer: a classic quorum of the joint epoch lists,
 * and every joining node. A key that none of them knows has no state that was chosen before, and gets none
 * without the joining nodes.
 *
 * @param nodes those that list what they hold; each has adopted the joint epoch before
 */
export function mayList(nodes: NodeSet, { quorums, joining }: Handover): boolean {
  return isClassicQuorum(nodes, quorums) && (nodes & joining) === joining
}

/**
 * The transfer of a key, from what the nodes have listed for it. A key of which a node holds a damaged record
 * is known to that node.
 */
export function beginTransfer(
  holdings: readonly (Holding | undefined)[],
  { quorums, joining }: Handover,
): KeyTransfer {
  const isUnknown = holdings.every((holding) => holding === undefined || holding === EMPTY_RECORD)
  const records: Records = holdings.map((holding) =>
    holding === undefined || isDamage(holding) ? undefined : holding,
  )
  if (isUnknown || isSealed(records, quorums, joining)) return DONE
  return { kind: 'settle', listed: highestAccepted(records) }
}

/** The round that `transfer` wanted has ended. Without a decision, it wants another one. */
export function afterRound(transfer: KeyTransfer, isDecided: boolean, { joining }: Handover): KeyTransfer {
  if (transfer.kind !== 'settle' || !isDecided) return transfer
  return joining === 0 ? DONE : { kind: 'ask', listed: transfer.listed, missing: joining }
}

/**
 * A joining node has answered with the record that it holds after the round; `undefined`: it does not answer.
 * A node that lacks what was listed needs another round, since the transfer has no other way to give it to
 * that node.
 */
export function afterAnswer(transfer: KeyTransfer, node: number, record: KeyRecord | undefined): KeyTransfer {
  if (transfer.kind !== 'ask' || (transfer.missing & (1 << node)) === 0) return transfer
  const { listed } = transfer
  const accepted = record?.accepted
  const isTaken = accepted !== undefined && (listed === undefined || compareBallots(accepted, listed) >= 0)
  if (!isTaken) return { kind: 'settle', listed }
  const missing = transfer.missing & ~(1 << node)
  return missing === 0 ? DONE : { kind: 'ask', listed, missing }
}
