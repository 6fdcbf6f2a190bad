import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { CreateGroupBody } from '../../../api/schemas.ts'
import { createGroup } from '../../../group/create-group.ts'
import type { Dependencies } from '../../dependencies.ts'
import { takeJsonBodies } from '../../json-bodies.ts'
import { decidedGroup } from '../../outcome.ts'
import { groupPath, sendGroup } from './group-reply.ts'

/** `POST /v1/group`. */
export function createGroupRoute(dependencies: Dependencies): FastifyPluginAsyncTypebox {
  const { engine, clock, newIncarnation, retryAfterSeconds } = dependencies
  const { registry } = engine
  return async (app) => {
    takeJsonBodies(app, ['application/json'])
    app.post('/v1/group', { schema: { body: CreateGroupBody } }, async (request, reply) => {
      const { groupId, description, labels } = request.body
      const now = clock.now().toISOString()
      const command = createGroup({ groupId, description, labels, now, incarnation: newIncarnation() })
      const group = decidedGroup(reply, await registry.change(groupId, command), retryAfterSeconds)
      if (group === undefined) return reply
      return sendGroup(reply.code(201).header('location', groupPath(groupId)), group)
    })
  }
}
