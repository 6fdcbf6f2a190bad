import type { FastifyPluginAsync } from 'fastify'
import type { Dependencies } from '../dependencies.ts'
import { sendFailure } from '../outcome.ts'

/** `GET /v1/cluster`. */
export function clusterRoute({ cluster, retryAfterSeconds }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/v1/cluster', async (_request, reply) => {
      const description = cluster.describe()
      if (description !== undefined) return description
      const reason = 'no quorum of nodes has been reached yet'
      return sendFailure(reply, { kind: 'not_applied', reason }, retryAfterSeconds)
    })
  }
}
