import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupMember, PutGroupMemberBody } from '../../../api/group-member-schemas.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import { putGroupMember } from '../../../group/put-group-member.ts'
import { authorOfRequest } from '../../author.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { JSON_BODY_PROBLEMS, takeJsonBodies } from '../../json-bodies.ts'
import { sendFailure } from '../../outcome.ts'
import { preconditionsOfChange } from '../../preconditions.ts'
import { sendMember, sendMemberRefusal } from './member-reply.ts'
import { GroupMemberParams, MEMBER_PATH } from './member-request.ts'

const MEDIA_TYPES = ['application/json']

const schema = {
  operationId: 'putGroupMember',
  tags: ['Group members'],
  summary: 'Add a member to a group, or change its role',
  description:
    'With `If-None-Match: *` the member is only added, and never changed. The body may be left out: the member then has no role. A group can have a million members, and somebody can be in ten thousand groups. If the group is deleted, it has no members from that moment on, also if it is created again.',
  consumes: MEDIA_TYPES,
  params: GroupMemberParams,
  body: PutGroupMemberBody,
  requestHeaders: ['If-Match', 'If-None-Match'],
  response: {
    200: answer('The member, which was there. Its role is the one that was asked for.', GroupMember, {
      headers: ['ETag'],
    }),
    201: answer('The member, which was added.', GroupMember, { headers: ['ETag'] }),
  },
  problems: [
    ...JSON_BODY_PROBLEMS,
    'invalid_path',
    'group_not_found',
    'version_mismatch',
    'unreadable_group',
    'unavailable',
    'outcome_unknown',
  ],
} as const

/** `PUT /v1/group/{groupId}/members/{memberId}`. */
export function putGroupMemberRoute(
  groupMembers: GroupMembers,
  { clock, newIncarnation, retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, MEDIA_TYPES)
    app.addHook('preValidation', async (request) => {
      request.body ??= {}
    })
    const config = { hasEntityTag: true, cost: 'key' } as const
    app.put(MEMBER_PATH, { config, schema }, async (request, reply) => {
      const { groupId, memberId } = request.params
      const { role } = request.body
      const now = clock.now().toISOString()
      const command = putGroupMember({
        memberId,
        role,
        now,
        author: authorOfRequest(request),
        incarnation: newIncarnation(),
        ...preconditionsOfChange(request),
      })
      const outcome = await groupMembers.put(groupId, memberId, command)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const decision = outcome.value
      if (decision.kind === 'refused') return sendMemberRefusal(reply, decision.refusal)
      return sendMember(reply.code(decision.kind === 'added' ? 201 : 200), groupId, decision.answer)
    })
  }
}
