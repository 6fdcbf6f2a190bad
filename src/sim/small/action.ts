/**
 * One step of a schedule. A schedule is a list of steps and nothing else, so that a run can be repeated,
 * shortened, and kept in a test. A step that is not possible in a shortened schedule does nothing.
 */
import type { Key } from './key.ts'

/** A change of the membership that somebody asks for. `member` is the number of a node. */
export type Change =
  | Readonly<{ kind: 'add' }>
  /** A new node takes the place of a member. Of a member that is joining: another new node joins instead. */
  | Readonly<{ kind: 'replace'; member: number }>
  /** A member goes. A member that is joining: the change is taken back. */
  | Readonly<{ kind: 'remove'; member: number }>

/** Names a parcel: whose it is, and which of the parcels of that sender. */
export type ParcelId = number

/**
 * What a connector starts an operation with: what it knows, nothing, or an old view (by its number in the
 * run).
 */
export type Recall = 'own' | 'forgotten' | 'no view' | number

export type Action =
  | Readonly<{ kind: 'submit'; operation: number; connector: number; recall: Recall }>
  | Readonly<{ kind: 'deliver'; parcel: ParcelId }>
  /** Delivers the parcel, and leaves it on its way. */
  | Readonly<{ kind: 'repeat'; parcel: ParcelId }>
  /** The parcel is lost. `isLate`: its sender believes so, and it arrives later all the same. */
  | Readonly<{ kind: 'lose'; parcel: ParcelId; isLate: boolean }>
  /**
   * A request reaches its node, which crashes without an answer: before, or after, what it changed is
   * durable.
   */
  | Readonly<{ kind: 'crash on'; parcel: ParcelId; isSaved: boolean }>
  | Readonly<{ kind: 'crash'; node: number }>
  | Readonly<{ kind: 'restart'; node: number }>
  /** What the node has put off becomes durable. */
  | Readonly<{ kind: 'sync'; node: number }>
  | Readonly<{ kind: 'suspect'; connector: number; node: number; isSuspect: boolean }>
  | Readonly<{ kind: 'expire'; operation: number }>
  /** A connector dies. Another one, with an id of its own, takes its place. */
  | Readonly<{ kind: 'replace'; connector: number }>
  /**
   * A remover asks the next node what it holds. After the last node, it takes note, or takes the next step.
   */
  | Readonly<{ kind: 'look'; remover: number }>
  /** The grace time of a remover that waits is over: all that was alive when it took note is dead. */
  | Readonly<{ kind: 'grace'; remover: number }>
  /** A connector proposes a change of the membership of its epoch. */
  | Readonly<{ kind: 'change'; connector: number; change: Change }>
  /** A connector reads which membership is chosen, and follows it. */
  | Readonly<{ kind: 'watch'; connector: number }>
  /**
   * A connector asks nodes who they are, and does what the answers call for. `skipped`: a node that does not
   * answer.
   */
  | Readonly<{ kind: 'discover'; connector: number; skipped: number | undefined }>
  /** A connector opens its link to a node, and shows it the membership of its epoch by that. */
  | Readonly<{ kind: 'show'; connector: number; node: number }>
  /**
   * A connector begins, or begins again, what the transfer of its joint epoch wants. `skipped`: a node that
   * it does not reach.
   */
  | Readonly<{ kind: 'transfer'; connector: number; skipped: number | undefined }>
  /** The disk of a node is gone, for good or for long. An empty node starts in its place. */
  | Readonly<{ kind: 'lose disk'; node: number }>
  /** A disk that was lost is back, with what it held. */
  | Readonly<{ kind: 'return disk'; node: number }>
  /** The disk of a node spoils what it holds for a key. */
  | Readonly<{ kind: 'damage'; node: number; key: Key }>
  /** A connector has heard of a damaged record, and runs a round of its key that changes nothing. */
  | Readonly<{ kind: 'mend'; connector: number; key: Key }>
  /** All nodes run and nobody suspects them: the second phase. */
  | Readonly<{ kind: 'heal' }>
