import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupList } from '../../../api/group-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { DescribedPageQuery, limitOf, PageQuery } from '../../page-query.ts'
import { viewOf } from './group-reply.ts'

const schema = {
  operationId: 'listGroups',
  tags: ['Groups'],
  summary: 'List groups',
  description:
    'A page of groups, in the order of their ids (as UTF-8 bytes). Each group is as a read at some moment of the request would have shown it. A page as a whole is not a snapshot. A page may be short or empty where groups are large (a page ends at about 4 MB) or where many groups were deleted: only the last page has no `after`.',
  querystring: PageQuery,
  describedQuery: DescribedPageQuery,
  response: { 200: answer('A page.', GroupList) },
  problems: ['unavailable'],
} as const

/** `GET /v1/group`: a page of groups. */
export function listGroupsRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/group', { config: { cost: 'list' }, schema }, async (request, reply) => {
      const { after } = request.query
      const outcome = await registry.scan({ after, limit: limitOf(request.query) })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { groups, unreadable, after: next } = outcome.value
      return { groups: groups.map(viewOf), unreadable, after: next }
    })
  }
}
