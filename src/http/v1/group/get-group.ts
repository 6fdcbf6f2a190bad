import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { etagOf, matchesWeakly } from '../../../group/etag.ts'
import type { Dependencies } from '../../dependencies.ts'
import { sendFailure, sendRefusal } from '../../outcome.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams, ifNoneMatchOf } from './group-request.ts'

/** `GET /v1/group/{groupId}`, and HEAD, which Fastify makes of it. */
export function getGroupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(GROUP_PATH, { schema: { params: GroupParams } }, async (request, reply) => {
      const outcome = await registry.read(request.params.groupId)
      if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
      const group = outcome.value
      if (group === undefined) return sendRefusal(reply, 'group_not_found')
      // A cache may keep it, but has to ask whether it still holds.
      reply.header('cache-control', 'no-cache')
      const ifNoneMatch = ifNoneMatchOf(request)
      if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, group)) {
        return reply.code(304).header('etag', etagOf(group)).send()
      }
      return sendGroup(reply, group)
    })
  }
}
