import { LINEAGE_LENGTH, type State, sameWriteId, type Value, type WriteId } from './state.ts'

/** What an operation makes of a value: a new one to propose, or none. `result` is for the submitter. */
export type Decision<R = unknown> =
  | Readonly<{ kind: 'propose'; value: Value; result: R }>
  /** Nothing to write: a read, a refusal, a change that changes nothing. */
  | Readonly<{ kind: 'keep'; result: R }>
  /** The value is not one that the layer above stores. The operation ends, and nothing is written. */
  | Readonly<{ kind: 'unreadable' }>

/** Thrown by a `decide` whose value it cannot read: the decision is `unreadable`. */
export class UnreadableValueError extends Error {
  override name = 'UnreadableValueError'
}

/** One accept that was sent with a change of this operation in it: it may have been chosen, or may yet be. */
export type Attempt<R = unknown> = Readonly<{ writeId: WriteId; generation: number; result: R }>

/**
 * One client's operation on one key. `R` is the type of its result. A proposer carries operations with
 * different results as `Operation<unknown>`: it passes each result back only to the operation whose `decide`
 * made it.
 */
export interface Operation<R = unknown> {
  /** Pure; it may run several times, on different values. */
  decide(value: Value): Decision<R>
  /**
   * The operation ends only with a classic round, also where there is nothing to write. What that round
   * leaves is chosen at a ballot above every promise that the round has met. Repair needs this (§5), removal
   * (§6), and a change of the membership (§7).
   */
  readonly needsRound?: boolean
  /**
   * The operation never proposes anything. What is remembered of the key is not looked at: the key is read
   * anyway.
   */
  readonly isRead?: boolean
  /** Kept by the proposer, oldest first. */
  attempts: readonly Attempt<R>[]
}

/**
 * Why an operation ended before its time was over, without a decision. Both are faults of the key's record,
 * and meet every operation on this key:
 *
 * - `exhausted`: the next write needs a round number or a generation above the highest one (protocol.md
 *   §4.7);
 * - `unreadable`: see `Decision`.
 */
export type KeyFault = 'exhausted' | 'unreadable'

/**
 * What became of an operation.
 *
 * - `decided`: it happened exactly once, or it was a `keep` on a state that was chosen: `result` says which;
 * - `not_applied`: no accept that carried a change of it was sent, and none will be;
 * - `unknown`: it happened at most once, or may yet.
 */
export type Outcome<R = unknown> =
  | Readonly<{ kind: 'decided'; result: R }>
  | Readonly<{ kind: 'not_applied'; fault?: KeyFault }>
  | Readonly<{ kind: 'unknown'; fault?: KeyFault }>

/** Whether a chosen state descends from one of an operation's attempts. */
export type Verdict<R = unknown> =
  | Readonly<{ kind: 'happened'; result: R }>
  /**
   * It did not happen, and once a successor of the state (or the state again, at a higher ballot) is chosen
   * it never will.
   */
  | Readonly<{ kind: 'not_happened' }>
  /** The state is too many generations on for its lineage to tell. */
  | Readonly<{ kind: 'unknown' }>

/** The exactly-once rule, protocol.md §4.5. */
export function judge<R>(attempts: readonly Attempt<R>[], base: State): Verdict<R> {
  if (attempts.length === 0) return { kind: 'not_happened' }
  for (const { writeId, result } of attempts) {
    if (base.lineage.some((ancestor) => sameWriteId(ancestor, writeId))) return { kind: 'happened', result }
  }
  const since = Math.min(...attempts.map(({ generation }) => generation))
  return { kind: base.generation - since < LINEAGE_LENGTH ? 'not_happened' : 'unknown' }
}

/** Every attempt counts until the operation ends: a late message may still make any of them happen. */
export function remember<R>(attempts: readonly Attempt<R>[], attempt: Attempt<R>): readonly Attempt<R>[] {
  return [...attempts, attempt]
}
