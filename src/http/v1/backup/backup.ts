import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Dependencies } from '../../dependencies.ts'
import { sendFailure } from '../../outcome.ts'
import { limitOf, PageQuery } from '../../page-query.ts'

/**
 * `GET /v1/backup`: a page of groups as they are stored, with the incarnation that clients see in entity tags
 * alone.
 */
export function backupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/backup', { schema: { querystring: PageQuery } }, async (request, reply) => {
      const { after } = request.query
      const outcome = await registry.scan({ after, limit: limitOf(request.query) })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      return outcome.value
    })
  }
}
