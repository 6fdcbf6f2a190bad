import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupMember } from '../../../api/group-member-schemas.ts'
import { etagOf } from '../../../group/etag.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import { brokenPrecondition } from '../../../group/preconditions.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer, emptyAnswer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { preconditionsOfRead } from '../../preconditions.ts'
import { sendMember, sendMemberRefusal } from './member-reply.ts'
import { GroupMemberParams, MEMBER_PATH } from './member-request.ts'

const schema = {
  operationId: 'getGroupMember',
  tags: ['Group members'],
  summary: 'Check whether somebody is in a group',
  description:
    '200 if somebody is in the group now, 404 if not. The answer includes every change that was answered before the request began, through any connector: a removal, and the deletion of the group.',
  describedHead: {
    operationId: 'headGroupMember',
    summary: 'Check whether somebody is in a group, by the status alone',
  },
  params: GroupMemberParams,
  requestHeaders: ['If-Match', 'If-None-Match'],
  response: {
    200: answer('The member.', GroupMember, { headers: ['ETag', 'Cache-Control'] }),
    304: emptyAnswer('The member has one of the entity tags in `If-None-Match`.', ['ETag', 'Cache-Control']),
  },
  problems: [
    'invalid_path',
    'group_not_found',
    'group_member_not_found',
    'version_mismatch',
    'unreadable_group',
    'unavailable',
  ],
} as const

/** `GET /v1/group/{groupId}/members/{memberId}`. Fastify adds the HEAD route. */
export function getGroupMemberRoute(
  groupMembers: GroupMembers,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    const config = { hasEntityTag: true, cost: 'key' } as const
    app.get(MEMBER_PATH, { config, schema }, async (request, reply) => {
      const preconditions = preconditionsOfRead(request)
      const { groupId, memberId } = request.params
      const outcome = await groupMembers.read(groupId, memberId)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { hasGroup, member } = outcome.value
      if (!hasGroup) return sendMemberRefusal(reply, 'group_not_found')
      if (member === undefined) return sendMemberRefusal(reply, 'group_member_not_found')
      const broken = brokenPrecondition(preconditions, member)
      if (broken === 'version_mismatch') return sendMemberRefusal(reply, broken)
      // A cache may keep the answer, but before it uses it, it must ask whether it is still the same.
      reply.header('cache-control', 'no-cache')
      if (broken !== undefined) return reply.code(304).header('etag', etagOf(member)).send()
      return sendMember(reply, groupId, member)
    })
  }
}
