import type { FastifyPluginAsync } from 'fastify'
import { CLUSTER_EXAMPLE } from '../../../api/status-examples.ts'
import { ClusterStatus } from '../../../api/status-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'

const schema = {
  operationId: 'getCluster',
  tags: ['Operations'],
  summary: 'The state of the cluster',
  description:
    'A verdict, the reason, and every node as this connector sees it. The answer comes at once and with status 200, whatever the verdict is, also before the connector has found its cluster. What is not known is null.',
  response: { 200: answer('The cluster.', ClusterStatus, { example: CLUSTER_EXAMPLE }) },
}

/** `GET /v1/cluster`: always 200. The body has the verdict. */
export function getClusterRoute({ engine: { status } }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/v1/cluster', { schema }, async () => status.describe())
  }
}
