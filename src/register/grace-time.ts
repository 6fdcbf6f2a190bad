/** The grace time of tombstones (protocol.md §6): the constants on which everybody must agree. */

/**
 * The grace time, in milliseconds, of a cluster whose membership names none. Also the default of the setting.
 */
export const TOMBSTONE_GRACE_MS = 3_600_000

/**
 * The shortest and the longest grace time that a cluster has: after a month, few processes live to remove
 * anything.
 */
export const TOMBSTONE_GRACE_MS_MIN = 1_000
export const TOMBSTONE_GRACE_MS_MAX = 31 * 24 * 3_600_000

/**
 * The shortest grace time, in operation timeouts. An operation therefore takes at most a tenth of the grace
 * time: what was alive when a grace time began is dead when it ends.
 */
export const TIMEOUTS_PER_GRACE = 10
