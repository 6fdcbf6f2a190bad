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
import { wholeRecords } from '../register/damage.ts'
import { highestAccepted } from '../register/known-chosen.ts'
import type { Holding, KeyRecord } from '../register/messages.ts'
import { isClassicQuorum, type NodeSet, type Quorums } from '../register/quorum.ts'
import { joiningOf, nodesOfEpoch, quorumsOfMembership } from '../rpc/membership.ts'
import type { Membership } from '../rpc/messages.ts'
import { isSealed } from './is-sealed.ts'

/** The quorums and the joining nodes of a joint epoch. Nodes have their indexes in `nodesOfEpoch`. */
export type Handover = Readonly<{ quorums: Quorums; joining: NodeSet }>

/** The state of the transfer of a key, which says what the transfer needs next. */
export type KeyTransfer =
  /** It needs a classic round of this epoch that changes nothing. Give the result to `afterRound`. */
  | Readonly<{ kind: 'settle'; listed: Ballot | undefined }>
  /** It needs the records of the nodes in `missing`, read after the round. Give each to `afterAnswer`. */
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
 * Whether these nodes together list all keys that need a transfer. That is so if they are a classic quorum of
 * the joint epoch and every joining node. If none of them knows a key, no state of it was chosen before, and
 * none can be chosen without the joining nodes.
 *
 * @param nodes the nodes that list their keys; each must have adopted the joint epoch before
 */
export function mayList(nodes: NodeSet, { quorums, joining }: Handover): boolean {
  return isClassicQuorum(nodes, quorums) && (nodes & joining) === joining
}

/**
 * The first state of the transfer of a key, from what the nodes have listed for it. A damaged record counts
 * as a record.
 */
export function beginTransfer(
  holdings: readonly (Holding | undefined)[],
  { quorums, joining }: Handover,
): KeyTransfer {
  const isUnknown = holdings.every((holding) => holding === undefined || holding === EMPTY_RECORD)
  const records = wholeRecords(holdings)
  if (isUnknown || isSealed(records, quorums, joining)) return DONE
  return { kind: 'settle', listed: highestAccepted(records) }
}

/** The state after the round that `transfer` needed. Without a decision it needs another round. */
export function afterRound(transfer: KeyTransfer, isDecided: boolean, { joining }: Handover): KeyTransfer {
  if (transfer.kind !== 'settle' || !isDecided) return transfer
  return joining === 0 ? DONE : { kind: 'ask', listed: transfer.listed, missing: joining }
}

/**
 * The state after a joining node has answered with the record that it holds after the round. `undefined`: it
 * did not answer. If the node lacks the listed state, another round is needed: only a round can give it to
 * the node.
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
