import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupMember } from '../../../api/group-member-schemas.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import { removeGroupMember } from '../../../group/put-group-member.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { dropBodies } from '../../json-bodies.ts'
import { sendFailure } from '../../outcome.ts'
import { preconditionsOfChange } from '../../preconditions.ts'
import { sendMember, sendMemberRefusal } from './member-reply.ts'
import { GroupMemberParams, MEMBER_PATH } from './member-request.ts'

const schema = {
  operationId: 'removeGroupMember',
  tags: ['Group members'],
  summary: 'Remove a member from a group',
  description: 'A body is ignored.',
  params: GroupMemberParams,
  requestHeaders: ['If-Match', 'If-None-Match'],
  response: {
    200: answer('The member, as it was before it was removed.', GroupMember, { headers: ['ETag'] }),
  },
  problems: [
    'invalid_path',
    'group_not_found',
    'group_member_not_found',
    'version_mismatch',
    'body_too_large',
    'unreadable_group',
    'unavailable',
    'outcome_unknown',
  ],
} as const

/** `DELETE /v1/group/{groupId}/members/{memberId}`. */
export function removeGroupMemberRoute(
  groupMembers: GroupMembers,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    dropBodies(app)
    const config = { hasEntityTag: true, cost: 'key' } as const
    app.delete(MEMBER_PATH, { config, schema }, async (request, reply) => {
      const { groupId, memberId } = request.params
      const command = removeGroupMember(preconditionsOfChange(request))
      const outcome = await groupMembers.remove(groupId, memberId, command)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const decision = outcome.value
      if (decision.kind === 'refused') return sendMemberRefusal(reply, decision.refusal)
      return sendMember(reply, groupId, decision.answer)
    })
  }
}
