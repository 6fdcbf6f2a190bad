import { LINEAGE_LENGTH, type State, sameWriteId, type Value, type WriteId } from './state.ts'

/** What an operation makes of a value: a new one to propose, or none. `result` is for whoever submitted it. */
export type Decision =
  | Readonly<{ kind: 'propose'; value: Value; result: unknown }>
  /** Nothing to write: a read, a refusal, a change that changes nothing. */
  | Readonly<{ kind: 'keep'; result: unknown }>

/** One accept that was sent with a change of this operation in it: it may have been chosen, or may yet be. */
export type Attempt = Readonly<{ writeId: WriteId; generation: number; result: unknown }>

/** One client's operation on one key. */
export interface Operation {
  /** Pure; it may run several times, on different values. */
  readonly decide: (value: Value) => Decision
  /**
   * Ends only with a classic round, also where there is nothing to write: what that leaves is chosen at a ballot above
   * every promise that the round has met. Repair needs it (§5), removal (§6), and a change of the membership (§7).
   */
  readonly needsRound?: boolean
  /** It proposes nothing, whatever it finds: what is remembered of the key need not be looked at, for it is read anyway. */
  readonly isRead?: boolean
  /** Kept by the proposer, oldest first. */
  attempts: readonly Attempt[]
}

/**
 * What became of an operation.
 *
 * - `decided`: it happened exactly once, or it was a `keep` on a state that was chosen: `result` says which;
 * - `not_applied`: no accept that carried a change of it was sent, and none will be;
 * - `unknown`: it happened at most once, or may yet.
 */
export type Outcome =
  | Readonly<{ kind: 'decided'; result: unknown }>
  | Readonly<{ kind: 'not_applied' }>
  | Readonly<{ kind: 'unknown' }>

/** Whether one of an operation's attempts is behind a chosen state. */
export type Verdict =
  | Readonly<{ kind: 'happened'; result: unknown }>
  /** It did not happen, and once a successor of the state (or the state again, at a higher ballot) is chosen it never will. */
  | Readonly<{ kind: 'not_happened' }>
  /** The state is too many generations on for its lineage to tell. */
  | Readonly<{ kind: 'unknown' }>

/** The exactly-once rule, protocol.md §4.5. */
export function judge(attempts: readonly Attempt[], base: State): Verdict {
  if (attempts.length === 0) return { kind: 'not_happened' }
  for (const { writeId, result } of attempts) {
    if (base.lineage.some((ancestor) => sameWriteId(ancestor, writeId))) return { kind: 'happened', result }
  }
  const since = Math.min(...attempts.map(({ generation }) => generation))
  return { kind: base.generation - since < LINEAGE_LENGTH ? 'not_happened' : 'unknown' }
}

/** Every attempt counts until the operation ends: a late message may still make any of them happen. */
export function remember(attempts: readonly Attempt[], attempt: Attempt): readonly Attempt[] {
  return [...attempts, attempt]
}
