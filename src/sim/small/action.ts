/**
 * One step of a schedule. A schedule is only a list of steps, so that a run can be repeated, shortened, and
 * kept in a test. A step that is not possible in a shortened schedule does nothing.
 */
import type { Key } from './key.ts'

/** A change of the membership that is asked for. `member` is the number of a node. */
export type Change =
  | Readonly<{ kind: 'add' }>
  /** A new node replaces a member. If that member is joining, another new node joins instead. */
  | Readonly<{ kind: 'replace'; member: number }>
  /** A member is removed. If that member is joining, the change is undone. */
  | Readonly<{ kind: 'remove'; member: number }>

/** The id of a parcel: it contains the sender and the number of the parcel among those of that sender. */
export type ParcelId = number

/**
 * What a connector knows when it starts an operation: what it has kept, nothing, or an old view (by its
 * number in the run).
 */
export type Recall = 'own' | 'forgotten' | 'no view' | number

/** Which members a node invents (inventions.ts). */
export type InventedForm = 'alone' | 'with strangers' | 'without one' | 'joint'

export type Action =
  | Readonly<{ kind: 'submit'; operation: number; connector: number; recall: Recall }>
  | Readonly<{ kind: 'deliver'; parcel: ParcelId }>
  /** Delivers the parcel, and keeps a copy on its way. */
  | Readonly<{ kind: 'repeat'; parcel: ParcelId }>
  /** The parcel is lost. `isLate`: its sender believes that it is lost, but it arrives later. */
  | Readonly<{ kind: 'lose'; parcel: ParcelId; isLate: boolean }>
  /**
   * A request reaches its node, which crashes without an answer: before its change is durable, or after that
   * (`isSaved`).
   */
  | Readonly<{ kind: 'crash on'; parcel: ParcelId; isSaved: boolean }>
  | Readonly<{ kind: 'crash'; node: number }>
  | Readonly<{ kind: 'restart'; node: number }>
  /** The changes that the node has put off become durable. */
  | Readonly<{ kind: 'sync'; node: number }>
  | Readonly<{ kind: 'suspect'; connector: number; node: number; isSuspect: boolean }>
  | Readonly<{ kind: 'expire'; operation: number }>
  /** A connector dies. Another one with another id replaces it. */
  | Readonly<{ kind: 'replace'; connector: number }>
  /**
   * A remover asks the next node what it holds. After the last node, it stores the result and waits for a
   * grace time, or takes the next step.
   */
  | Readonly<{ kind: 'look'; remover: number }>
  /**
   * The grace time of a remover that waits is over: every message, operation and view from before its start
   * is dead.
   */
  | Readonly<{ kind: 'grace'; remover: number }>
  /** A connector proposes a change of the membership of its epoch. */
  | Readonly<{ kind: 'change'; connector: number; change: Change }>
  /** A connector reads which membership is chosen, and adopts it. */
  | Readonly<{ kind: 'watch'; connector: number }>
  /**
   * A connector asks nodes for their identities, and acts on the answers. `skipped`: a node that does not
   * answer.
   */
  | Readonly<{ kind: 'discover'; connector: number; skipped: number | undefined }>
  /** A connector opens its link to a node, which shows the node the membership of the connector's epoch. */
  | Readonly<{ kind: 'show'; connector: number; node: number }>
  /**
   * A connector begins, or begins again, what the transfer of its joint epoch needs. `skipped`: a node that
   * the connector does not reach.
   */
  | Readonly<{ kind: 'transfer'; connector: number; skipped: number | undefined }>
  /** The disk of a node is gone, for good or for long. An empty node starts in its place. */
  | Readonly<{ kind: 'lose disk'; node: number }>
  /** A disk that was lost is back, with what it held. */
  | Readonly<{ kind: 'return disk'; node: number }>
  /** The disk of a node spoils what it holds for a key. */
  | Readonly<{ kind: 'damage'; node: number; key: Key }>
  /**
   * A node takes part in a membership that nobody has proposed, because its disk or its memory is bad. That
   * membership is so many epochs ahead.
   */
  | Readonly<{ kind: 'invent'; node: number; ahead: number; form: InventedForm }>
  /** A connector has learned of a damaged record, and runs a round for its key that changes nothing. */
  | Readonly<{ kind: 'mend'; connector: number; key: Key }>
  /** The second phase begins: all nodes run and no connector suspects them. */
  | Readonly<{ kind: 'heal' }>
