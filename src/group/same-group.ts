import type { Group, Labels } from './group.ts'

/** Whether two groups are the same in everything that is stored; the order of labels does not count. */
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

/** Whether two groups' labels are the same, in whatever order. */
export function sameLabels(a: Labels, b: Labels): boolean {
  const entries = Object.entries(a)
  return (
    entries.length === Object.keys(b).length &&
    entries.every(([key, value]) => Object.hasOwn(b, key) && b[key] === value)
  )
}
