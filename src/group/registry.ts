import type { Command, Decision, Group } from './group.ts'

/**
 * What became of an operation. Three outcomes, never mixed:
 *
 * - `done`: it was decided, and `value` says how;
 * - `not_applied`: nothing was done, and nothing will be. It may be repeated as it is;
 * - `unknown`: it may have been done, or may yet be, at most once. Read before you repeat.
 */
export type Outcome<T> =
  | Readonly<{ kind: 'done'; value: T }>
  | Readonly<{ kind: 'not_applied'; reason: string }>
  | Readonly<{ kind: 'unknown'; reason: string }>

/** One page of a scan: groups in the order of their ids (UTF-8 bytes). */
export type ScanPage = Readonly<{
  groups: readonly Group[]
  /** Where the next page starts: pass it as `after`. `undefined`: this was the last. */
  after: string | undefined
}>

/**
 * A registry of groups, whatever keeps them: the HTTP layer knows this much and nothing of ballots.
 *
 * Every method is linearizable for the group it names, resolves within the registry's operation timeout, and
 * never rejects except for a bug. `groupId`s have been checked by the caller.
 */
export interface Registry {
  /**
   * The group as it is, or `undefined` when there is none. `unknown` never happens: a read changes nothing.
   */
  read(groupId: string): Promise<Outcome<Group | undefined>>

  /**
   * Runs a command on the group and stores what it decides. The command is pure: it may run several times, on
   * different states, and the decision that counts is the one returned.
   */
  change(groupId: string, command: Command): Promise<Outcome<Decision>>

  /**
   * Groups after `after` (exclusive; `undefined`: from the first), at most `limit` (1 to 1,000). Each is as a
   * read at some moment of the call would have returned it; the page as a whole is no snapshot. It may be
   * short, or empty, where many groups were deleted: only an `after` of `undefined` says that it was the
   * last. A page takes at most two operation timeouts.
   */
  scan(options: Readonly<{ after: string | undefined; limit: number }>): Promise<Outcome<ScanPage>>
}
