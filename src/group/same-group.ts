import type { Group, Labels } from './group.ts'

/**
 * Whether two groups are equal in all that every backup has of them: all fields but the life and the author.
 * The order of labels does not matter.
 */
export function sameGroup(a: Omit<Group, 'life'>, b: Omit<Group, 'life'>): boolean {
  return (
    a.groupId === b.groupId &&
    a.version === b.version &&
    a.incarnation === b.incarnation &&
    a.createdAt === b.createdAt &&
    a.updatedAt === b.updatedAt &&
    a.description === b.description &&
    sameLabels(a.labels ?? {}, b.labels ?? {})
  )
}

/** Whether two groups have the same labels, in any order. */
export function sameLabels(a: Labels, b: Labels): boolean {
  const entries = Object.entries(a)
  return (
    entries.length === Object.keys(b).length &&
    entries.every(([key, value]) => Object.hasOwn(b, key) && b[key] === value)
  )
}
