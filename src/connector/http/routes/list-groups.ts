import { type FastifyPluginAsyncTypebox, Type } from '@fastify/type-provider-typebox'
import { GroupId } from '../../../api/schemas.ts'
import type { Dependencies } from '../dependencies.ts'
import { viewOf } from '../group-reply.ts'
import { sendFailure } from '../outcome.ts'

const LIMIT_DEFAULT = 100

const ListQuery = Type.Object(
  {
    after: Type.Optional(GroupId),
    limit: Type.Optional(Type.String({ pattern: '^([1-9][0-9]{0,2}|1000)$' })),
  },
  { additionalProperties: false },
)

/** `GET /v1/group`: a page of groups. */
export function listGroupsRoute({ registry, retryAfterSeconds }: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get('/v1/group', { schema: { querystring: ListQuery } }, async (request, reply) => {
      const { after, limit } = request.query
      const outcome = await registry.scan({
        after,
        limit: limit === undefined ? LIMIT_DEFAULT : Number(limit),
      })
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      return { groups: outcome.value.groups.map(viewOf), after: outcome.value.after }
    })
  }
}
