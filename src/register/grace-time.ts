/** The grace time of tombstones (protocol.md §6): constants that must be the same everywhere. */

/**
 * The default grace time, in milliseconds. It is also that of a membership that names none.
 */
export const TOMBSTONE_GRACE_MS = 3_600_000

/**
 * The shortest and the longest grace time of a cluster. With more than a month, few processes would live long
 * enough to remove anything.
 */
export const TOMBSTONE_GRACE_MS_MIN = 1_000
export const TOMBSTONE_GRACE_MS_MAX = 31 * 24 * 3_600_000

/**
 * The shortest grace time, in operation timeouts. So an operation takes at most a tenth of the grace time,
 * and everything that was alive when a grace time began has ended when it ends.
 */
export const TIMEOUTS_PER_GRACE = 10

/** The longest time that `votesEndMs` returns. */
const VOTES_END_MS_MAX = 12_000

/**
 * When this time has passed since the first vote at a ballot, no accept at this ballot reaches a node any
 * more: an accept is sent to all nodes at once, and the limits of links bound how long it may wait and
 * travel (protocol.md §6).
 */
export function votesEndMs(graceMs: number): number {
  return Math.min(VOTES_END_MS_MAX, 0.7 * graceMs)
}
