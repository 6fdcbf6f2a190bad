import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import type { Admission } from '../admission/admission.ts'
import { callerOf } from '../admission/request-gate.ts'
import { sendProblem } from '../problem.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether requests count in the rate of their caller. Default: unless they are `free` (cost.ts). */
    isRateLimited?: boolean
  }
}

/** Refuses a caller that sends too much. It answers, and returns `true`, if the caller is refused. */
export type RefuseByRate = (request: FastifyRequest, reply: FastifyReply) => boolean

/**
 * Limits the rate of each caller on the routes that are added from now on. Call it after those hooks are
 * added that say who the caller is. Routes that cost nothing are not limited, if they do not say so.
 *
 * The returned function is for requests whose callers are refused because they are not known: they count by
 * their address, so that a client with a wrong key does not harm the others at its address.
 */
export function limitRates(app: FastifyInstance, admission: Admission): RefuseByRate {
  const { rateLimiter } = admission
  if (rateLimiter === undefined) return () => false
  const { perSecond } = rateLimiter
  const policy = `"caller";q=${perSecond};w=1`
  const refuse: RefuseByRate = (request, reply) => {
    const caller = callerOf(request)
    const { remaining, resetSeconds, retryAfterSeconds } = rateLimiter.take(caller)
    reply.header('ratelimit-policy', policy)
    reply.header('ratelimit', `"caller";r=${remaining};t=${resetSeconds}`)
    if (retryAfterSeconds === undefined) return false
    admission.rateLimited(caller, request.raw)
    reply.header('retry-after', retryAfterSeconds)
    sendProblem(reply, 'rate_limited', {
      detail: `Nothing was changed, and nothing will be: a caller may send ${perSecond} requests in a second to this connector.`,
      outcome: 'not_applied',
    })
    return true
  }
  app.addHook('onRoute', (route: RouteOptions) => {
    const { cost, isRateLimited = cost !== 'free' } = route.config ?? {}
    if (!isRateLimited) return
    route.onRequest = [
      ...[route.onRequest ?? []].flat(),
      (request, reply, done) => {
        if (!refuse(request, reply)) done()
      },
    ]
  })
  return refuse
}
