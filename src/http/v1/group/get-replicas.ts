import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { ReplicasView } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { sendFailure } from '../../outcome.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

/** `GET /v1/group/{groupId}/replicas`: what each member holds, whether there is such a group or not. */
export function getReplicasRoute(
  replicas: ReplicasView,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(`${GROUP_PATH}/replicas`, { schema: { params: GroupParams } }, async (request, reply) => {
      const described = await replicas.describe(request.params.groupId)
      if (described !== undefined) return described
      const reason = 'no quorum of nodes has been reached yet'
      return sendFailure(reply, { kind: 'not_applied', reason }, retryAfterSeconds)
    })
  }
}
