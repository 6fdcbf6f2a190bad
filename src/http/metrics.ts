import type { FastifyPluginAsync } from 'fastify'
import { Type } from '../api/type.ts'
import type { Dependencies } from './dependencies.ts'
import { answer } from './docs/describe.ts'

const schema = {
  operationId: 'getMetrics',
  tags: ['Operations'],
  summary: 'Figures for Prometheus',
  description: 'docs/observability.md says what each of them means.',
  response: { 200: answer('In the text format of Prometheus.', Type.String(), { mediaType: 'text/plain' }) },
}

/** `GET /metrics`, for Prometheus. */
export function metricsRoute({ metrics }: Dependencies): FastifyPluginAsync {
  return async (app) => {
    app.get('/metrics', { schema }, async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.render()),
    )
  }
}
