import type { Author } from './author.ts'
import type { GroupMember, GroupMemberCommand, GroupMemberRefusal } from './group-member.ts'
import { brokenPrecondition, type Preconditions } from './preconditions.ts'

export type PutGroupMember = Preconditions &
  Readonly<{
    memberId: string
    role?: string | undefined
    /** The time of the request, ISO 8601 in UTC with milliseconds. */
    now: string
    author: Author
    /** A new one for every request. */
    incarnation: string
  }>

/**
 * Adds a group member, or gives it another role. Refusals: `version_mismatch`, `precondition_failed`.
 */
export function putGroupMember({
  memberId,
  role,
  now,
  author: { updatedBy, requestId },
  incarnation,
  ...preconditions
}: PutGroupMember): GroupMemberCommand {
  return (member) => {
    const refusal = brokenFor(preconditions, member)
    if (refusal !== undefined) return { decision: { kind: 'refused', refusal } }
    if (member === undefined) {
      const times = { addedAt: now, updatedAt: now }
      const added = withRole({ memberId, version: 1, incarnation, ...times, updatedBy, requestId }, role)
      return { decision: { kind: 'added', answer: added }, next: { member: added } }
    }
    if (member.role === role) return { decision: { kind: 'unchanged', answer: member } }
    const { version, addedAt, updatedAt } = member
    const changed = withRole(
      {
        memberId,
        version: version + 1,
        incarnation: member.incarnation,
        addedAt,
        // The clocks of connectors differ, but the time of a group member never goes back.
        updatedAt: now > updatedAt ? now : updatedAt,
        updatedBy,
        requestId,
      },
      role,
    )
    return { decision: { kind: 'changed', answer: changed }, next: { member: changed } }
  }
}

/** Removes a group member. Refusals: `group_member_not_found`, `version_mismatch`, `precondition_failed`. */
export function removeGroupMember(preconditions: Preconditions): GroupMemberCommand {
  return (member) => {
    if (member === undefined) return { decision: { kind: 'refused', refusal: 'group_member_not_found' } }
    const refusal = brokenFor(preconditions, member)
    if (refusal !== undefined) return { decision: { kind: 'refused', refusal } }
    return { decision: { kind: 'removed', answer: member }, next: { member: undefined } }
  }
}

/** The precondition that does not hold. No `If-Match` holds where there is nothing (RFC 9110 §13.1.1). */
function brokenFor(
  preconditions: Preconditions,
  member: GroupMember | undefined,
): Extract<GroupMemberRefusal, 'version_mismatch' | 'precondition_failed'> | undefined {
  if (member !== undefined) return brokenPrecondition(preconditions, member)
  return preconditions.ifMatch === undefined ? undefined : 'version_mismatch'
}

function withRole(member: Omit<GroupMember, 'role'>, role: string | undefined): GroupMember {
  const { memberId, ...rest } = member
  return role === undefined ? member : { memberId, role, ...rest }
}
