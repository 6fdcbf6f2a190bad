import type { FastifyPluginAsync } from 'fastify'
import type { Dependencies } from './dependencies.ts'
import { sendProblem } from './problem.ts'

/** `GET /livez`: the process is there. `GET /readyz`: it can serve, and is not being stopped. */
export function healthRoutes(
  isDraining: () => boolean,
  { engine: { readiness }, retryAfterSeconds }: Dependencies,
): FastifyPluginAsync {
  return async (app) => {
    app.get('/livez', async () => ({ status: 'live' }))
    app.get('/readyz', async (_request, reply) => {
      const isStopping = isDraining()
      if (readiness.isReady() && !isStopping) return { status: 'ready' }
      reply.header('retry-after', retryAfterSeconds)
      const detail = isStopping ? 'This connector is being stopped.' : 'No quorum of nodes answers.'
      return sendProblem(reply, 'not_ready', { detail })
    })
  }
}
