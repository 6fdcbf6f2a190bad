import type { FastifyReply } from 'fastify'
import { PROBLEMS, type ProblemCode } from '../api/problem-codes.ts'
import type { Problem } from '../api/problem-schema.ts'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** The optional parts of an error. `detail` is one or two sentences for people. */
export type ProblemExtras = Readonly<{
  detail?: string
  outcome?: 'not_applied' | 'unknown'
  errors?: { field: string; message: string }[]
}>

/** An error as the API shows it (RFC 9457). */
export function problemOf(code: ProblemCode, requestId: string, parts: ProblemExtras = {}): Problem {
  return { type: 'about:blank', ...PROBLEMS[code], code, ...parts, requestId }
}

/** Answers with an error. */
export function sendProblem(reply: FastifyReply, code: ProblemCode, parts: ProblemExtras = {}): FastifyReply {
  const problem = problemOf(code, reply.request.id, parts)
  return reply.code(problem.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(problem))
}
