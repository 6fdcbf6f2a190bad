import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { GroupList } from '../../../api/group-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { nextLink } from '../../page-query.ts'
import { viewOf } from './group-reply.ts'
import { DescribedListQuery, ListQuery, scanOptionsOf } from './list-query.ts'
import { sendTexts } from './send-texts.ts'

const schema = {
  operationId: 'listGroups',
  tags: ['Groups'],
  summary: 'List groups',
  description:
    'A page of groups, in the order of their ids (as UTF-8 bytes). Each group is as a read at some moment of the request would have shown it. A page as a whole is not a snapshot. A page may be short or empty where groups are large (a page ends at about 4 MB), where many groups were deleted, or where many do not have the labels: only the last page has no `after` and no `Link`.',
  querystring: ListQuery,
  describedQuery: DescribedListQuery,
  response: { 200: answer('A page.', GroupList, { headers: ['Link'] }) },
  problems: ['unavailable'],
} as const

/** `GET /v1/group`: a page of groups. */
export function listGroupsRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/group', { config: { cost: 'list' }, schema }, async (request, reply) => {
      const { isWanted, ...page } = scanOptionsOf(request.query)
      if (isWanted === undefined && request.query.fields === undefined && registry.scanTexts !== undefined) {
        const outcome = await registry.scanTexts({ ...page, form: 'shown' })
        if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
        const { after } = outcome.value
        if (after !== undefined) reply.header('link', nextLink('/v1/group', request.query, after))
        return sendTexts(reply, outcome.value)
      }
      const outcome = await registry.scan({ ...page, isWanted })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const { groups, unreadable, after } = outcome.value
      if (after !== undefined) reply.header('link', nextLink('/v1/group', request.query, after))
      if (request.query.fields === undefined) return { groups: groups.map(viewOf), unreadable, after }
      return { groups: [], groupIds: groups.map(({ groupId }) => groupId), unreadable, after }
    })
  }
}
