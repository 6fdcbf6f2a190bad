import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { REPLICAS_EXAMPLE } from '../../../api/status-examples.ts'
import { GroupReplicas } from '../../../api/status-schemas.ts'
import type { ReplicasView } from '../../../engines/engine.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'
import { sendFailure } from '../../outcome.ts'
import { GROUP_PATH, GroupParams } from './group-request.ts'

const schema = {
  operationId: 'getReplicas',
  tags: ['Operations'],
  summary: 'What each node holds for a group',
  description:
    'Each node is asked by itself, for a second at most. Differences are shown and not repaired. A group that was deleted, or that never was, is answered too: with what the nodes hold.',
  params: GroupParams,
  response: { 200: answer('The replicas.', GroupReplicas, { example: REPLICAS_EXAMPLE }) },
  problems: ['invalid_path', 'unavailable'],
} as const

/** `GET /v1/group/{groupId}/replicas`: what each member holds, whether there is such a group or not. */
export function getReplicasRoute(
  replicas: ReplicasView,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(`${GROUP_PATH}/replicas`, { schema }, async (request, reply) => {
      const described = await replicas.describe(request.params.groupId)
      if (described !== undefined) return described
      const reason = 'no quorum of nodes has been reached yet'
      return sendFailure(reply, { kind: 'not_applied', reason }, retryAfterSeconds)
    })
  }
}
