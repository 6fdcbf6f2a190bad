import { LINEAGE_LENGTH, type State, sameWriteId, type Value, type WriteId } from './state.ts'

/** What an operation decides on a value: to propose a new value, or not. `result` is for the submitter. */
export type Decision<R = unknown> =
  | Readonly<{ kind: 'propose'; value: Value; result: R }>
  /** There is nothing to write: a read, a refusal, or a change that changes nothing. */
  | Readonly<{ kind: 'keep'; result: R }>
  /** The value is not one that the layer above stores. The operation ends, and nothing is written. */
  | Readonly<{ kind: 'unreadable' }>

/** Thrown by a `decide` whose value it cannot read: the decision is `unreadable`. */
export class UnreadableValueError extends Error {
  override name = 'UnreadableValueError'
}

/**
 * One accept that was sent with a change of this operation. It may have been chosen, or may still be chosen.
 */
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
   * The operation ends only with a classic round, also if there is nothing to write. The state after that
   * round is chosen at a ballot above every promise that the round has met. Repair (§5), removal (§6) and
   * changes of the membership (§7) need this.
   */
  readonly needsRound?: boolean
  /**
   * The operation never proposes anything. The remembered view of the key is not used, because the key is
   * read anyway.
   */
  readonly isRead?: boolean
  /** Kept by the proposer, oldest first. */
  attempts: readonly Attempt<R>[]
}

/**
 * Why an operation ended early and without a decision. Both are faults of the record of the key, and affect
 * every operation on this key:
 *
 * - `exhausted`: the next write needs a round number or a generation above the highest one (protocol.md
 *   §4.7);
 * - `unreadable`: see `Decision`.
 */
export type KeyFault = 'exhausted' | 'unreadable'

/**
 * How an operation ended.
 *
 * - `decided`: it happened exactly once, or it was a `keep` on a chosen state: `result` says which;
 * - `not_applied`: no accept with a change of it was sent, and none will be;
 * - `unknown`: it happened at most once, or may still happen.
 */
export type Outcome<R = unknown> =
  | Readonly<{ kind: 'decided'; result: R }>
  | Readonly<{ kind: 'not_applied'; fault?: KeyFault }>
  | Readonly<{ kind: 'unknown'; fault?: KeyFault }>

/** Whether a chosen state descends from one of an operation's attempts. */
export type Verdict<R = unknown> =
  | Readonly<{ kind: 'happened'; result: R }>
  /**
   * It did not happen. When a successor of the state (or the state again, at a higher ballot) is chosen, it
   * never will.
   */
  | Readonly<{ kind: 'not_happened' }>
  /** The state has too many generations since the attempt, so its lineage does not show it. */
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
