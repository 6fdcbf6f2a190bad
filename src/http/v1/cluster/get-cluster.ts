import type { FastifyPluginAsync } from 'fastify'
import type { Dependencies } from '../../dependencies.ts'

/** `GET /v1/cluster`: always 200, since how bad it is, is what it says. */
export function getClusterRoute({ engine: { status } }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/v1/cluster', async () => status.describe())
  }
}
