/**
 * Cross-origin requests of browsers (the Fetch standard). Without configured origins, no browser may send
 * any.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { RESPONSE_HEADERS } from './docs/headers.ts'

/** Adds the headers of an answer, and answers what a browser asks before it sends a request. */
export type AnswerCors = (request: FastifyRequest, reply: FastifyReply) => boolean

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE'
/** A page may read every header that an answer can have. */
const EXPOSED = Object.keys(RESPONSE_HEADERS).sort().join(', ')
/** How long a browser may remember the answer, in seconds. */
const MAX_AGE = '600'

/**
 * The returned function must be called in `onRequest` for every request, also for those that no route takes.
 * It returns `true` if it has answered.
 *
 * @param origins the origins whose pages may use this API, like `https://ui.example`; `*`: all
 */
export function answerCors(origins: readonly string[]): AnswerCors | undefined {
  if (origins.length === 0) return undefined
  const allowed = new Set(origins)
  const isOpen = allowed.has('*')
  return ({ method, headers }, reply) => {
    const { origin } = headers
    // The answer depends on the origin, also for caches.
    if (!isOpen) reply.header('vary', 'Origin')
    if (origin === undefined || !(isOpen || allowed.has(origin))) return false
    reply.header('access-control-allow-origin', isOpen ? '*' : origin)
    const asked = headers['access-control-request-method']
    if (method !== 'OPTIONS' || asked === undefined) {
      reply.header('access-control-expose-headers', EXPOSED)
      return false
    }
    const askedHeaders = headers['access-control-request-headers']
    if (askedHeaders !== undefined) reply.header('access-control-allow-headers', askedHeaders)
    reply.header('access-control-allow-methods', METHODS).header('access-control-max-age', MAX_AGE)
    reply.code(204).send()
    return true
  }
}
