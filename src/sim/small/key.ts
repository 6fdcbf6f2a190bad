/**
 * The keys of a small world: the one that its clients use, and the register that names the members of the
 * cluster.
 */
export const GROUP = 0
export const MEMBERSHIP = 1

/** Both keys, in the order in which nodes list them. */
export const KEYS = [GROUP, MEMBERSHIP] as const

export type Key = (typeof KEYS)[number]

/** A key as a report writes it. */
export function formatKey(key: Key): string {
  return key === GROUP ? 'the group' : 'the membership'
}
