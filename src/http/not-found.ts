import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { sendProblem } from './problem.ts'

/** Answers a request that no route takes. */
export type AnswerUnrouted = (request: FastifyRequest, reply: FastifyReply) => FastifyReply

/**
 * Answers requests that no route takes: 405 with `Allow` if the path has other methods, else 404. Call it
 * before the first route is added, because it records every route that is added.
 *
 * The returned function must be called in `onRequest` for such requests (`request.is404`). Later it would be
 * too late: Fastify would answer 400 or 415 to some of them because of their Content-Type.
 */
export function answerUnrouted(app: FastifyInstance): AnswerUnrouted {
  const methodsByPath = new Map<string, Set<string>>()
  app.addHook('onRoute', ({ url, method }) => {
    const methods = methodsByPath.get(url) ?? new Set()
    for (const name of [method].flat()) methods.add(name)
    methodsByPath.set(url, methods)
  })
  const answer: AnswerUnrouted = (request, reply) => {
    const path = pathOf(request.url)
    const methods = [...methodsByPath]
      // `OPTIONS *` asks about the server as a whole (RFC 9110 §9.3.7).
      .filter(([url]) => path === '*' || isPathOf(path, url))
      .flatMap(([, names]) => [...names])
    if (methods.length === 0 || methods.includes(request.method)) {
      return sendProblem(reply, 'not_found', { detail: 'The API is described at /v1/docs.' })
    }
    const allow = [...new Set(methods)].sort().join(', ')
    reply.header('allow', allow)
    return sendProblem(reply, 'method_not_allowed', { detail: `It takes ${allow}.` })
  }
  // `@fastify/static` calls this for a file that does not exist.
  app.setNotFoundHandler(answer)
  return answer
}

function pathOf(url: string): string {
  const path = url.split('?', 1)[0]!
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/** Whether the pattern of a route (`/a/:id`, `/a/*`, `/a::verb` for `/a:verb`) matches a path. */
function isPathOf(path: string, pattern: string): boolean {
  const parts = path.split('/')
  const patternParts = pathOf(pattern).split('/')
  const isPrefix = patternParts.at(-1) === '*'
  if (isPrefix ? parts.length < patternParts.length : parts.length !== patternParts.length) return false
  return patternParts.every(
    (part, index) =>
      part === '*' || (part.startsWith(':') ? parts[index] !== '' : part.replace('::', ':') === parts[index]),
  )
}
