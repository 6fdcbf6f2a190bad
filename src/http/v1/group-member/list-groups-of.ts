import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupsOfList } from '../../../api/group-member-schemas.ts'
import { GroupId } from '../../../api/group-schemas.ts'
import { Type } from '../../../api/type.ts'
import type { GroupMembers } from '../../../group/group-members.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { DescribedPageQuery, limitOf, nextLink, PageQuery } from '../../page-query.ts'
import { memberViewOf } from './member-reply.ts'
import { GROUPS_OF_PATH, MemberIdParams } from './member-request.ts'

const prefix = Type.Optional(
  Type.String({
    ...GroupId,
    description: 'Only groups whose ids begin with this text. Other groups are not read.',
    examples: ['team-a/'],
  }),
)

const schema = {
  operationId: 'listGroupsOfMember',
  tags: ['Group members'],
  summary: 'List the groups that somebody is in',
  description:
    'A page of the groups, in the order of their ids (as UTF-8 bytes), each with what the member is in it. Each is as a check at some moment of the request would have answered. A page as a whole is not a snapshot. It may be short or empty where somebody was removed from groups, or where groups were deleted: only the last page has no `after` and no `Link`. Nobody has to exist: for an unknown member the list is empty.',
  params: MemberIdParams,
  querystring: Type.Object({ ...PageQuery.properties, prefix }, { additionalProperties: false }),
  describedQuery: Type.Object({ ...DescribedPageQuery.properties, prefix }),
  response: { 200: answer('A page.', GroupsOfList, { headers: ['Link'] }) },
  problems: ['invalid_path', 'unavailable'],
} as const

/** `GET /v1/member/{memberId}/groups`. */
export function listGroupsOfRoute(
  groupMembers: GroupMembers,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(GROUPS_OF_PATH, { config: { cost: 'list' }, schema }, async (request, reply) => {
      const { memberId } = request.params
      const { after, prefix } = request.query
      const outcome = await groupMembers.groupsOf(memberId, { after, prefix, limit: limitOf(request.query) })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { groups, unreadable, after: next } = outcome.value
      const path = `/v1/member/${encodeURIComponent(memberId)}/groups`
      if (next !== undefined) reply.header('link', nextLink(path, request.query, next))
      return {
        groups: groups.map(({ groupId, member }) => memberViewOf(groupId, member)),
        unreadable,
        after: next,
      }
    })
  }
}
