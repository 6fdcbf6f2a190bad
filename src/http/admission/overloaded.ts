import type { FastifyReply } from 'fastify'
import { sendProblem } from '../problem.ts'
import { RequestError } from '../request-error.ts'

const DETAIL =
  'Nothing was changed, and nothing will be: this connector has more such requests than it can finish in time.'

/** One error for all refused requests: making one for each would cost more than the refusal. */
export const OVERLOADED = new RequestError('overloaded', DETAIL)

/** Answers that this connector has too much to do. */
export function sendOverloaded(reply: FastifyReply, retryAfterSeconds: number): FastifyReply {
  return sendProblem(reply.header('retry-after', retryAfterSeconds), 'overloaded', {
    detail: DETAIL,
    outcome: 'not_applied',
  })
}
