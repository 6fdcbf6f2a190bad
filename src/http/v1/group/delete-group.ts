import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { deleteGroup } from '../../../group/delete-group.ts'
import type { Dependencies } from '../../dependencies.ts'
import { dropBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams, ifMatchOf } from './group-request.ts'

/** `DELETE /v1/group/{groupId}`. */
export function deleteGroupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    // The body of a DELETE means nothing (RFC 9110 §9.3.5), but many clients send a Content-Type with it.
    dropBodies(app)
    app.delete(GROUP_PATH, { schema: { params: GroupParams } }, async (request, reply) => {
      const command = deleteGroup({ ifMatch: ifMatchOf(request) })
      const group = decidedGroup(
        reply,
        await registry.change(request.params.groupId, command),
        retryAfterSeconds,
      )
      return group === undefined ? reply : sendGroup(reply, group)
    })
  }
}
