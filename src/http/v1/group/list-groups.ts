import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Dependencies } from '../../dependencies.ts'
import { sendFailure } from '../../outcome.ts'
import { limitOf, PageQuery } from '../../page-query.ts'
import { viewOf } from './group-reply.ts'

/** `GET /v1/group`: a page of groups. */
export function listGroupsRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/group', { schema: { querystring: PageQuery } }, async (request, reply) => {
      const { after } = request.query
      const outcome = await registry.scan({ after, limit: limitOf(request.query) })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      return { groups: outcome.value.groups.map(viewOf), after: outcome.value.after }
    })
  }
}
