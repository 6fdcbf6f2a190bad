import { type Author, authorOf } from './author.ts'
import type { GroupMember, GroupMemberCommand } from './group-member.ts'

/**
 * Restores a group member as it was, with its version, incarnation and times. If the same one is there
 * already, it is left unchanged, so a restore may be repeated. Refusals: `precondition_failed`, if another
 * one is there.
 *
 * The group member keeps the author of its last change. If the backup has none, because an older version has
 * made it, the author of the restore is kept.
 */
export function restoreGroupMember(backup: GroupMember, author: Author): GroupMemberCommand {
  const { memberId, role, version, incarnation, addedAt, updatedAt } = backup
  // In the order of fields in which a put stores them.
  const restored = {
    memberId,
    ...(role === undefined ? {} : { role }),
    version,
    incarnation,
    addedAt,
    updatedAt,
    ...(authorOf(backup) ?? author),
  }
  return (member) => {
    if (member === undefined)
      return { decision: { kind: 'added', answer: restored }, next: { member: restored } }
    const isSame =
      member.role === role &&
      member.version === version &&
      member.incarnation === incarnation &&
      member.addedAt === addedAt &&
      member.updatedAt === updatedAt
    if (isSame) return { decision: { kind: 'unchanged', answer: member } }
    return { decision: { kind: 'refused', refusal: 'precondition_failed' } }
  }
}
