/**
 * One step of a schedule. A schedule is a list of them and nothing else, so that a run can be repeated,
 * shortened, and kept in a test. A step that has become impossible in a shortened schedule is left out.
 */

/** A change of the membership that somebody asks for. `member` is the number of a node. */
export type Change =
  | Readonly<{ kind: 'add' }>
  /** By a new node. Of one that is joining: by another new one. */
  | Readonly<{ kind: 'replace'; member: number }>
  /** Of one that is joining: the change is taken back. */
  | Readonly<{ kind: 'remove'; member: number }>

/** Names a parcel: whose it is, and which of the parcels of that connector. */
export type ParcelId = number

/**
 * What a connector starts an operation with: what it knows, nothing, or an old view (by its number in the
 * run).
 */
export type Recall = 'own' | 'forgotten' | 'no view' | number

export type Action =
  | Readonly<{ kind: 'submit'; operation: number; connector: number; recall: Recall }>
  | Readonly<{ kind: 'deliver'; parcel: ParcelId }>
  /** Delivers it, and leaves it on its way. */
  | Readonly<{ kind: 'repeat'; parcel: ParcelId }>
  /** It is lost. `isLate`: the connector believes so, and it arrives later all the same. */
  | Readonly<{ kind: 'lose'; parcel: ParcelId; isLate: boolean }>
  /**
   * A request reaches its node, which crashes: before, or after, what it changed is durable; without an
   * answer.
   */
  | Readonly<{ kind: 'crash on'; parcel: ParcelId; isSaved: boolean }>
  | Readonly<{ kind: 'crash'; node: number }>
  | Readonly<{ kind: 'restart'; node: number }>
  /** What the node has put off becomes durable. */
  | Readonly<{ kind: 'sync'; node: number }>
  | Readonly<{ kind: 'suspect'; connector: number; node: number; isSuspect: boolean }>
  | Readonly<{ kind: 'expire'; operation: number }>
  /** A connector dies; another, with an id of its own, takes its place. */
  | Readonly<{ kind: 'replace'; connector: number }>
  /** A remover asks the next node what it holds; when it was the last, it takes note, or the next step. */
  | Readonly<{ kind: 'look'; remover: number }>
  /** The grace time of a remover that waits is over: all that was alive when it took note is dead. */
  | Readonly<{ kind: 'grace'; remover: number }>
  /** The next membership is chosen; who learns of it, and when, is another step's. */
  | Readonly<{ kind: 'change'; change: Change }>
  /** A connector learns of a newer epoch, and goes on there with all that is under way. */
  | Readonly<{ kind: 'follow'; connector: number; epoch: number }>
  /** Somebody shows a node a chosen membership, and nothing else. */
  | Readonly<{ kind: 'show'; node: number; epoch: number }>
  /** A connector takes the next step of the transfer in its epoch. `skipped`: a node that it does not ask. */
  | Readonly<{ kind: 'transfer'; connector: number; skipped: number | undefined }>
  /** A node's disk is gone, for good or for long. */
  | Readonly<{ kind: 'lose disk'; node: number }>
  /** A disk that was lost is back, with what it held. */
  | Readonly<{ kind: 'return disk'; node: number }>
  /** All nodes run and nobody suspects them: the second phase. */
  | Readonly<{ kind: 'heal' }>
