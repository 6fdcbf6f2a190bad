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
    'Each node is asked separately, and has at most a second to answer. Differences are shown and not repaired. The answer is given also for a group that was deleted or never existed.',
  params: GroupParams,
  response: { 200: answer('The replicas.', GroupReplicas, { example: REPLICAS_EXAMPLE }) },
  problems: ['invalid_path', 'unavailable'],
} as const

/** `GET /v1/group/{groupId}/replicas`: what each member holds, also if there is no such group. */
export function getReplicasRoute(
  replicas: ReplicasView,
  { retryAfterSeconds }: Dependencies,
): FastifyPluginAsyncTypebox {
  return async (app) => {
    app.get(`${GROUP_PATH}/replicas`, { config: { cost: 'list' }, schema }, async (request, reply) => {
      const described = await replicas.describe(request.params.groupId)
      if (described !== undefined) return described
      const reason = 'no quorum of nodes has been reached yet'
      return sendFailure(reply, { kind: 'not_applied', reason }, retryAfterSeconds)
    })
  }
}
