import { type Ballot, ROUND_MAX } from './ballot.ts'
import { GENERATION_MAX, type State, type WriteId } from './state.ts'

/** What a connector asks of one node about one key (protocol.md §3). */
export type Request =
  | Readonly<{ kind: 'prepare'; ballot: Ballot }>
  /** `next` is the ballot that the accept prepares. It is above `ballot`. */
  | Readonly<{ kind: 'accept'; ballot: Ballot; state: State; next: Ballot }>
  /** The sender knows that `state` is chosen at `ballot`. `next` is above `ballot`. */
  | Readonly<{ kind: 'learn'; ballot: Ballot; state: State; next: Ballot }>
  /**
   * The chosen mark: a learn without the state, for a node that has the state already. It gets no answer.
   */
  | Readonly<{ kind: 'mark'; ballot: Ballot; writeId: WriteId }>
  /**
   * First step of removing a tombstone: turns the one that `writeId` made, accepted at `ballot`, into a stub
   * (§6).
   */
  | Readonly<{ kind: 'stub'; ballot: Ballot; writeId: WriteId }>
  /** Second step: drops a stub whose promise is exactly this one (§6). */
  | Readonly<{ kind: 'drop'; promised: Ballot }>
  | Readonly<{ kind: 'read' }>

/** The request that reads a record: all reads are one object. */
export const READ_REQUEST: Request = { kind: 'read' }

/** A chosen mark. */
export type Mark = Extract<Request, { kind: 'mark' }>

/**
 * Whether the numbers in a request are within the bounds that nodes take. They refuse others as malformed
 * (protocol.md §4.7), so connectors never send them.
 */
export function isWithinBounds(request: Request): boolean {
  switch (request.kind) {
    case 'accept':
    case 'learn':
      // `next` is above the ballot.
      return request.next.round <= ROUND_MAX && request.state.generation <= GENERATION_MAX
    case 'prepare':
    case 'mark':
    case 'stub':
      return request.ballot.round <= ROUND_MAX
    case 'drop':
      return request.promised.round <= ROUND_MAX
    case 'read':
      return true
    default:
      return request satisfies never
  }
}

/** Whether the numbers in a record are within the bounds that nodes take. */
export function isRecordWithinBounds({ promised, state }: KeyRecord): boolean {
  // What was accepted is below the promise.
  return promised.round <= ROUND_MAX && state.generation <= GENERATION_MAX
}

/**
 * What a node stores for a key. Invariants: `accepted`, if it is set, is below `promised`; a stub has
 * accepted nothing.
 */
export type KeyRecord = Readonly<{
  /** No accept below this ballot is taken. Only a drop lowers it. */
  promised: Ballot
  /** The ballot at which `state` was accepted or learned; `undefined` when neither has happened. */
  accepted: Ballot | undefined
  state: State
  /** Whether the node knows that `state` is chosen at `accepted`. */
  chosen: boolean
  /**
   * Whether it is a stub: the promise of a tombstone whose removal has begun. A record that was only ever
   * prepared has the same other fields, but must not be dropped. A stub ends with the next vote, or when it
   * is dropped.
   */
  isStub: boolean
}>

/**
 * The answer of a node, with the record after the message, so that a refused proposer learns the reason at
 * once.
 */
export type Answer = Readonly<{ ok: boolean; record: KeyRecord }>

/**
 * The record of a key is damaged: the node does not know what it has promised and accepted (protocol.md §9).
 * No promise that it has given for the key has a round number above `promiseBound`.
 */
export type Damage = Readonly<{ promiseBound: number }>

/** What a node answers to a request: no vote and no refusal when its record is damaged. */
export type Reply = Answer | Damage

/** What a node holds for a key. */
export type Holding = KeyRecord | Damage
