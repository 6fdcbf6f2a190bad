import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupMemberList, MemberRole } from '../../../api/group-member-schemas.ts'
import { Type } from '../../../api/type.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { limitOf, nextLink } from '../../page-query.ts'
import { groupPath } from '../group/group-reply.ts'
import { GroupParams } from '../group/group-request.ts'
import { memberViewOf, sendMemberRefusal } from './member-reply.ts'
import { MEMBERS_PATH, memberPageQuery } from './member-request.ts'

const role = Type.Optional(
  Type.String({
    ...MemberRole,
    description:
      'Only members with this role. The others are read too, and left out, so a page may be short or empty.',
  }),
)

const schema = {
  operationId: 'listGroupMembers',
  tags: ['Group members'],
  summary: 'List the members of a group',
  description:
    'A page of the members, in the order of their ids (as UTF-8 bytes). Each member is as a read at some moment of the request would have shown it. A page as a whole is not a snapshot, and may be short or empty: only the last page has no `after` and no `Link`.',
  params: GroupParams,
  ...memberPageQuery({ role }),
  response: { 200: answer('A page.', GroupMemberList, { headers: ['Link'] }) },
  problems: ['invalid_path', 'group_not_found', 'unreadable_group', 'unavailable'],
} as const

/** `GET /v1/group/{groupId}/members`. */
export function listGroupMembersRoute(
  groupMembers: GroupMembers,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(MEMBERS_PATH, { config: { cost: 'list' }, schema }, async (request, reply) => {
      const { groupId } = request.params
      const { after, role } = request.query
      const outcome = await groupMembers.list(groupId, { after, role, limit: limitOf(request.query) })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { members, unreadable, after: next } = outcome.value
      if (members === undefined) return sendMemberRefusal(reply, 'group_not_found')
      if (next !== undefined)
        reply.header('link', nextLink(`${groupPath(groupId)}/members`, request.query, next))
      return { members: members.map((member) => memberViewOf(groupId, member)), unreadable, after: next }
    })
  }
}
