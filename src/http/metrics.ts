import type { FastifyPluginAsync } from 'fastify'
import type { Dependencies } from './dependencies.ts'

/** `GET /metrics`, for Prometheus. */
export function metricsRoute({ metrics }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics', async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.render()),
    )
  }
}
