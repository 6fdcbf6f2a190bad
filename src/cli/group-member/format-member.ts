import type { GroupMember } from '../../api/group-member-schemas.ts'
import { printable } from '../format-group.ts'

/** A group member for people, one line for each field. The text does not end with a line feed. */
export function formatMember(member: Readonly<GroupMember>, etag: string | undefined): string {
  const lines: (readonly [string, string])[] = [
    ['memberId', member.memberId],
    ['groupId', member.groupId],
    ...(member.role === undefined ? [] : [['role', member.role] as const]),
    ['version', String(member.version)],
    ...(etag === undefined ? [] : [['etag', etag] as const]),
    ['added', member.addedAt],
    ['updated', member.updatedAt],
    ...(member.updatedBy === undefined ? [] : [['by', member.updatedBy] as const]),
    ...(member.requestId === undefined ? [] : [['request', member.requestId] as const]),
  ]
  return lines.map(([name, value]) => `${name.padEnd(12)} ${printable(value)}`).join('\n')
}
