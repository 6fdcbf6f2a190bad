import type { FastifyReply } from 'fastify'
import type { GroupMember as ShownMember } from '../../../api/group-member-schemas.ts'
import { etagOf } from '../../../group/etag.ts'
import type { GroupMember, GroupMemberRefusal } from '../../../group/group-member.ts'
import type { Unsent } from '../../outcome.ts'
import { sendProblem } from '../../problem.ts'

/** What each refusal means, for people. */
const REFUSAL_DETAILS = {
  group_not_found: 'No group has this groupId.',
  group_member_not_found: 'The group does not have this member.',
  version_mismatch:
    'If-Match does not name the version of the member; nothing was changed. Read the member, and decide again.',
  precondition_failed:
    'If-None-Match names the version of the member, or is *; nothing was changed. Read the member, and decide again.',
} as const satisfies { [refusal in GroupMemberRefusal]: string }

/** A group member as clients see it. */
export function memberViewOf(
  groupId: string,
  { memberId, role, version, addedAt, updatedAt, updatedBy, requestId }: GroupMember,
): ShownMember {
  // JSON has no field that is undefined.
  return { groupId, memberId, role, version, addedAt, updatedAt, updatedBy, requestId } as ShownMember
}

/** Answers with a group member and its entity tag. */
export function sendMember(reply: FastifyReply, groupId: string, member: GroupMember): FastifyReply {
  return reply
    .header('etag', etagOf(member))
    .type('application/json')
    .send(JSON.stringify(memberViewOf(groupId, member)))
}

/** Answers that the state of the group or of its member does not allow what was asked. */
export function sendMemberRefusal(reply: FastifyReply, refusal: GroupMemberRefusal): FastifyReply {
  const { code, extras } = memberRefusalProblem(refusal)
  return sendProblem(reply, code, extras)
}

/** The problem that says that the state of the group or of its member does not allow what was asked. */
export function memberRefusalProblem(refusal: GroupMemberRefusal): Unsent {
  return { code: refusal, extras: { detail: REFUSAL_DETAILS[refusal] } }
}
