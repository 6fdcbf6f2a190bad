import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { etagOf } from '../../../group/etag.ts'
import { brokenPrecondition } from '../../../group/preconditions.ts'
import type { Dependencies } from '../../dependencies.ts'
import { sendFailure, sendRefusal } from '../../outcome.ts'
import { preconditionsOfRead } from '../../preconditions.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

/** `GET /v1/group/{groupId}`, and HEAD, which Fastify makes of it. */
export function getGroupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(
      GROUP_PATH,
      { config: { hasEntityTag: true }, schema: { params: GroupParams } },
      async (request, reply) => {
        const preconditions = preconditionsOfRead(request)
        const outcome = await registry.read(request.params.groupId)
        if (outcome.kind !== 'done') return sendFailure(reply, outcome, retryAfterSeconds)
        const group = outcome.value
        if (group === undefined) return sendRefusal(reply, 'group_not_found')
        const broken = brokenPrecondition(preconditions, group)
        if (broken === 'version_mismatch') return sendRefusal(reply, broken)
        // A cache may keep the answer, but must ask before it uses it whether the group is still the same.
        reply.header('cache-control', 'no-cache')
        if (broken !== undefined) return reply.code(304).header('etag', etagOf(group)).send()
        return sendGroup(reply, group)
      },
    )
  }
}
