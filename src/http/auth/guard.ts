/**
 * Asks who the caller of each request is (`request.caller`), and refuses what the caller may not do. Which
 * right a route needs is in src/access/route-rights.ts.
 */
import type { FastifyInstance, FastifyRequest, onRequestHookHandler, preHandlerHookHandler } from 'fastify'
import type { Authenticator, Verdict } from '../../access/authenticator.ts'
import { type Caller, EVERYONE, NOBODY } from '../../access/caller.ts'
import { type RouteRight, rightOf } from '../../access/route-rights.ts'
import { isGivenTwice } from '../given-twice.ts'
import { RequestError } from '../request-error.ts'
import { clientSubjectOf } from './client-subject.ts'
import { refusalOf } from './refusal.ts'
import { requireRight, requireSubject } from './require.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /**
     * Whether the caller of a request may still do what it asked for. An answer without an end asks again and
     * again, so that it ends when a key is revoked, or a token expires. If the credentials cannot be checked
     * at the moment, the caller may go on.
     */
    mayGoOn(request: FastifyRequest): Promise<boolean>
  }
  interface FastifyRequest {
    /**
     * Who sends the request. It is known from the route's own `onRequest` hooks on, so a hook that is added
     * to the route after the guard can use it, and so can every later hook and the handler. Before that, and
     * for a request that no route takes, it is `NOBODY`.
     */
    readonly caller: Caller
    /** Only the guard uses it: the caller, as soon as it is known. */
    authenticated: Caller | null
  }
}

export type GuardOptions = Readonly<{
  /** `undefined`: the connector is open, and everyone may do everything. */
  authenticator: Authenticator | undefined
  /** The value of `Retry-After` when the credentials cannot be checked. */
  retryAfterSeconds: number
}>

/**
 * Guards the routes that are added from now on. Adding a route that the table of rights does not have throws,
 * so the connector does not start.
 */
export function guardRoutes(app: FastifyInstance, options: GuardOptions): void {
  const { authenticator } = options
  const initial = authenticator === undefined ? EVERYONE : NOBODY
  app.decorateRequest('authenticated', null)
  app.decorateRequest('caller', {
    getter(this: FastifyRequest) {
      return this.authenticated ?? initial
    },
  })
  app.decorate('mayGoOn', async (request) => {
    const needed = rightOf(request.method, request.routeOptions.url ?? '')
    if (authenticator === undefined || needed === undefined || needed === 'open') return true
    const verdict = await authenticator.authenticate(credentialsOf(request))
    if (verdict.kind === 'unavailable') return true
    if (verdict.kind !== 'known') return false
    request.authenticated = verdict.caller
    const error = requireRight(verdict.caller, needed) ?? requireSubject(request, needed.subject)
    return error === undefined
  })
  app.addHook('onRoute', (route) => {
    for (const method of [route.method].flat()) {
      const right = rightOf(method, route.url)
      if (right === undefined) {
        throw new Error(
          `${method} ${route.url} is not in the table of rights: add it to src/access/route-rights.ts`,
        )
      }
      if (right === 'open' || authenticator === undefined) continue
      route.onRequest = [...[route.onRequest ?? []].flat(), authenticateHook(authenticator, right, options)]
      if (right.subject !== 'no group' && right.subject !== 'keys') {
        route.preHandler = [subjectHook(right), ...[route.preHandler ?? []].flat()]
      }
    }
  })
}

type Needed = Exclude<RouteRight, 'open'>

function authenticateHook(
  authenticator: Authenticator,
  needed: Needed,
  { retryAfterSeconds }: GuardOptions,
): onRequestHookHandler {
  const { kinds } = authenticator
  return (request, reply, done) => {
    if (isGivenTwice(request.raw, 'authorization')) return done(GIVEN_TWICE)
    const settle = (verdict: Verdict) => {
      if (verdict.kind !== 'known') {
        const { error, headers } = refusalOf(verdict, { kinds, retryAfterSeconds })
        reply.headers(headers)
        return done(error)
      }
      request.authenticated = verdict.caller
      done(requireRight(verdict.caller, needed))
    }
    const verdict = authenticator.authenticate(credentialsOf(request))
    // It rejects only because of a bug, which is answered and logged as one.
    if (verdict instanceof Promise) void verdict.then(settle, done)
    else settle(verdict)
  }
}

const GIVEN_TWICE = new RequestError('invalid_http', 'The Authorization header is given twice.')

function credentialsOf({ raw }: FastifyRequest) {
  return {
    authorization: raw.headers.authorization,
    connection: raw.socket,
    certificateSubject: () => clientSubjectOf(raw.socket),
  }
}

/** It runs when the request has been validated, because the body can name the groups. */
function subjectHook({ subject }: Needed): preHandlerHookHandler {
  return (request, _reply, done) => done(requireSubject(request, subject))
}
