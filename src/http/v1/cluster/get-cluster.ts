import type { FastifyPluginAsync } from 'fastify'
import { CLUSTER_EXAMPLE } from '../../../api/status-examples.ts'
import { ClusterStatus } from '../../../api/status-schemas.ts'
import type { Dependencies } from '../../dependencies.ts'
import { answer } from '../../docs/describe.ts'

const schema = {
  operationId: 'getCluster',
  tags: ['Operations'],
  summary: 'How the cluster is',
  description:
    'A verdict, the reason, and every node as this connector sees it. It is answered at once and with 200, whatever the verdict is, also before the cluster is found. What is not known is null.',
  response: { 200: answer('The cluster.', ClusterStatus, { example: CLUSTER_EXAMPLE }) },
}

/** `GET /v1/cluster`: always 200. How bad the state of the cluster is stands in the body. */
export function getClusterRoute({ engine: { status } }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/v1/cluster', { schema }, async () => status.describe())
  }
}
