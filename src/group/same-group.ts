import type { Group, Labels } from './group.ts'

/** Whether all stored fields of two groups are equal. The order of labels does not matter. */
export function sameGroup(a: Group, b: Group): boolean {
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
