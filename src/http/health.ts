import type { FastifyPluginAsync } from 'fastify'
import type { Dependencies } from './dependencies.ts'
import { sendProblem } from './problem.ts'

/** `GET /livez`: the process is there. `GET /readyz`: it can serve, since a classic quorum of nodes answers. */
export function healthRoutes({ engine: { readiness }, retryAfterSeconds }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/livez', async () => ({ status: 'live' }))
    app.get('/readyz', async (_request, reply) => {
      if (readiness.isReady()) return { status: 'ready' }
      reply.header('retry-after', retryAfterSeconds)
      return sendProblem(reply, 'not_ready', { detail: 'No quorum of nodes answers.' })
    })
  }
}
