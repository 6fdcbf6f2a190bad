import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { deleteGroup } from '../../../group/delete-group.ts'
import type { Dependencies } from '../../dependencies.ts'
import { dropBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { preconditionsOfChange } from '../../preconditions.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

/** `DELETE /v1/group/{groupId}`. */
export function deleteGroupRoute({
  engine: { registry },
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    dropBodies(app)
    app.delete(
      GROUP_PATH,
      { config: { hasEntityTag: true }, schema: { params: GroupParams } },
      async (request, reply) => {
        const command = deleteGroup(preconditionsOfChange(request))
        const group = decidedGroup(
          reply,
          await registry.change(request.params.groupId, command),
          retryAfterSeconds,
        )
        return group === undefined ? reply : sendGroup(reply, group)
      },
    )
  }
}
