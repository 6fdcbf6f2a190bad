import type { CutText } from './cut-text.ts'
import type { Command, Decision, Group, ShownGroup } from './group.ts'

/**
 * How an operation ended. There are four outcomes, which must never be confused:
 *
 * - `done`: the operation was decided, and `value` says how;
 * - `not_applied`: nothing was changed, and nothing will be. The operation may be repeated;
 * - `unreadable`: the stored bytes of this group cannot be read, so nothing was changed. The other groups are
 *   not affected. Only a person can mend this group;
 * - `unknown`: the change may have been made, or may still be made, at most once. Read before you repeat it.
 */
export type Outcome<T> =
  | Readonly<{ kind: 'done'; value: T }>
  | Readonly<{ kind: 'not_applied'; reason: string }>
  | Readonly<{ kind: 'unknown'; reason: string }>
  | Readonly<{ kind: 'unreadable'; reason: string }>

/** One page of a scan: groups in the order of their ids (UTF-8 bytes). */
export type ScanPage = Readonly<{
  groups: readonly Group[]
  /**
   * The ids, in their order, of groups that exist but cannot be read: the stored bytes are not a group. Left
   * out when there are none. A caller that needs all groups must not go on without these.
   */
  unreadable?: readonly string[]
  /** Where the next page starts: pass it as `after`. `undefined`: this was the last page. */
  after: string | undefined
}>

/** Which groups a page of a scan has. */
export type ScanOptions = Readonly<{
  /** The page starts after this id. `undefined`: from the first. */
  after?: string | undefined
  /** How many groups the page has at most: 1 to 1,000. */
  limit: number
  /** Only groups whose ids begin with it. The engine reads no other groups. */
  prefix?: string | undefined
  /** Only groups for which it is true. The engine reads the other groups, and leaves them out. */
  isWanted?: ((group: Group) => boolean) | undefined
}>

/** As `ScanPage`, with each group as the text of a JSON object. */
export type TextPage = Omit<ScanPage, 'groups'> & Readonly<{ texts: readonly CutText[] }>

/** `shown`: groups as clients get them. `backup`: as `backedUp` has them. */
export type TextForm = 'shown' | 'backup'

/**
 * A registry of groups, for any engine. The HTTP layer knows this interface and nothing about ballots.
 *
 * Every method is linearizable for the group that it names. It resolves within the operation timeout of the
 * registry, and rejects only because of a bug. The caller has checked every `groupId`.
 */
export interface Registry {
  /**
   * The current group, or `undefined` if there is none. The outcome is never `unknown`, because a read
   * changes nothing.
   */
  read(groupId: string): Promise<Outcome<Group | undefined>>

  /** Like `read`, for callers that show the group and do not look into it. */
  show(groupId: string): Promise<Outcome<ShownGroup | undefined>>

  /**
   * Runs a command on the group and stores what it decides. The command is pure. It may run several times, on
   * different states; the returned decision is the one that counts.
   */
  change(groupId: string, command: Command): Promise<Outcome<Decision>>

  /**
   * A page of groups. Each group is as a read at some moment of the call would have returned it. The page as
   * a whole is not a snapshot. A page can be short or empty where many groups were deleted or are not wanted:
   * only if the returned `after` is `undefined`, it was the last page. A page takes at most two operation
   * timeouts.
   */
  scan(options: ScanOptions): Promise<Outcome<ScanPage>>

  /**
   * Like `scan`, for callers that only pass the groups on. An engine has it if it keeps groups as text, so
   * that nothing need be parsed and written again.
   */
  scanTexts?(
    options: Omit<ScanOptions, 'isWanted'> & Readonly<{ form: TextForm }>,
  ): Promise<Outcome<TextPage>>
}
