import type { FastifyPluginAsync } from 'fastify'
import { Type } from '../api/type.ts'
import type { Dependencies } from './dependencies.ts'
import { answer } from './docs/describe.ts'
import { sendProblem } from './problem.ts'

const livenessSchema = {
  operationId: 'getLiveness',
  tags: ['Operations'],
  summary: 'Is the process running?',
  response: { 200: answer('It is running.', statusOf('live'), { example: { status: 'live' } }) },
}

const readinessSchema = {
  operationId: 'getReadiness',
  tags: ['Operations'],
  summary: 'Can the connector serve?',
  description:
    'Ready means that a classic quorum of the nodes answers (with the engine postgres: that the primary answers), and that the connector is not being stopped.',
  response: { 200: answer('It can serve.', statusOf('ready'), { example: { status: 'ready' } }) },
  problems: ['not_ready'],
} as const

/** A connector that has too much to do is alive, and still says whether it can serve. */
const FREE = { cost: 'free' } as const

/** `GET /livez`: the process runs. `GET /readyz`: it can serve, and is not being stopped. */
export function healthRoutes(
  isDraining: () => boolean,
  { engine: { readiness, status }, retryAfterSeconds }: Dependencies,
): FastifyPluginAsync {
  // Everyone may ask, so the reason of the status is not told: it names servers and roles of a database.
  const whyNot = () =>
    status.describe().database === undefined ? 'No quorum of nodes answers.' : 'The database does not serve.'
  return async (app) => {
    app.get('/livez', { config: FREE, schema: livenessSchema }, async () => ({ status: 'live' }))
    app.get('/readyz', { config: FREE, schema: readinessSchema }, async (_request, reply) => {
      const isStopping = isDraining()
      if (readiness.isReady() && !isStopping) return { status: 'ready' }
      reply.header('retry-after', retryAfterSeconds)
      const detail = isStopping ? 'This connector is being stopped.' : whyNot()
      return sendProblem(reply, 'not_ready', { detail })
    })
  }
}

function statusOf(status: string) {
  return Type.Object({ status: Type.Literal(status) })
}
