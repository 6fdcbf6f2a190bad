import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { UpdateGroupBody } from '../../../api/schemas.ts'
import { updateGroup } from '../../../group/update-group.ts'
import type { Dependencies } from '../../dependencies.ts'
import { takeJsonBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { preconditionsOfChange } from '../../preconditions.ts'
import { sendGroup } from './group-reply.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

/** `PATCH /v1/group/{groupId}`. */
export function updateGroupRoute({
  engine: { registry },
  clock,
  retryAfterSeconds,
}: Dependencies): FastifyPluginAsyncTypebox {
  return async (app) => {
    takeJsonBodies(app, ['application/merge-patch+json', 'application/json'])
    app.patch(
      GROUP_PATH,
      { config: { hasEntityTag: true }, schema: { params: GroupParams, body: UpdateGroupBody } },
      async (request, reply) => {
        const now = clock.now().toISOString()
        const command = updateGroup({ patch: request.body, now, ...preconditionsOfChange(request) })
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
