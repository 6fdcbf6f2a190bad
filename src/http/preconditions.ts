/**
 * Preconditions of requests (RFC 9110 §13). A group has an entity tag, and the routes of groups check
 * preconditions themselves. All other paths always exist and have no entity tag, so this file checks their
 * preconditions, for all routes at once. Nothing has a modification date, so `If-Modified-Since` and
 * `If-Unmodified-Since` are ignored (§13.1.3, §13.1.4). There are no ranges, so `If-Range` is ignored too.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest, onSendHookHandler } from 'fastify'
import { type EtagCondition, parseEtagCondition } from '../group/etag.ts'
import type { Preconditions } from '../group/preconditions.ts'
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.ts'
import { invalidRequest, RequestError } from './request-error.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether what the route shows or changes has an entity tag. Its handler then checks preconditions. */
    hasEntityTag?: boolean
  }
}

/** What is wrong with a precondition that cannot be read. */
export const ETAG_EXPECTED = 'must be * or entity tags with their quotes: "1-af09"'

type Headers = Pick<FastifyRequest, 'headers'>

/** The preconditions of a change. @throws RequestError for a precondition that cannot be read */
export function preconditionsOfChange({ headers }: Headers): Preconditions {
  return {
    ifMatch: conditionIn('If-Match', headers['if-match']),
    ifNoneMatch: conditionIn('If-None-Match', headers['if-none-match']),
  }
}

/**
 * The preconditions of a read. An `If-None-Match` that cannot be read is ignored: then the answer only has a
 * body that the client may know already.
 *
 * @throws RequestError for an `If-Match` that cannot be read
 */
export function preconditionsOfRead({ headers }: Headers): Preconditions {
  const ifNoneMatch = headers['if-none-match']
  return {
    ifMatch: conditionIn('If-Match', headers['if-match']),
    ifNoneMatch: ifNoneMatch === undefined ? undefined : parseEtagCondition(ifNoneMatch),
  }
}

function conditionIn(name: string, text: string | undefined): EtagCondition | undefined {
  if (text === undefined) return undefined
  const condition = parseEtagCondition(text)
  if (condition !== undefined) return condition
  throw invalidRequest([{ field: name, message: ETAG_EXPECTED }])
}

/** Checks preconditions on the routes without `hasEntityTag`. Call it before the first route is added. */
export function judgePreconditions(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    if (route.method === 'HEAD') route.onSend = [...[route.onSend ?? []].flat(), dropLengthOf304]
    if (route.config?.hasEntityTag === true || [route.method].flat().every(isSafe)) return
    const preHandlers = [route.preHandler ?? []].flat()
    route.preHandler = [
      ...preHandlers,
      (request, _reply, done) => {
        const detail = brokenWithoutTag(preconditionsOfChange(request))
        done(
          detail === undefined
            ? undefined
            : new RequestError('precondition_failed', `${detail}; nothing was changed.`),
        )
      },
    ]
  })
  // For a read this is done after the handler: preconditions count only if the read would succeed (§13.2.1).
  app.addHook('onSend', (request, reply, payload, done) => {
    const { headers } = request.raw
    if (headers['if-match'] === undefined && headers['if-none-match'] === undefined)
      return done(null, payload)
    if (reply.statusCode !== 200 || !isSafe(request.method) || reply.hasHeader('etag'))
      return done(null, payload)
    let preconditions: Preconditions
    try {
      preconditions = preconditionsOfRead(request)
    } catch (error) {
      return done(error as RequestError)
    }
    const detail = brokenWithoutTag(preconditions)
    if (detail === undefined) return done(null, payload)
    if (payload instanceof Readable) payload.destroy()
    if (preconditions.ifMatch === undefined || preconditions.ifMatch === '*') {
      reply.code(304).removeHeader('content-type').removeHeader('content-length')
      // For HEAD, Fastify needs the payload to be a text.
      return done(null, request.method === 'HEAD' ? '' : null)
    }
    const problem = problemOf('precondition_failed', request.id, { detail: `${detail}.` })
    reply.code(problem.status).type(`${PROBLEM_MEDIA_TYPE}; charset=utf-8`).removeHeader('content-length')
    done(null, JSON.stringify(problem))
  })
}

/**
 * Fastify gives every answer to HEAD a Content-Length. For a 304 it would be 0, but the answer to GET would
 * not have that length (§8.6).
 */
const dropLengthOf304: onSendHookHandler = (_request, reply, payload, done) => {
  if (reply.statusCode === 304) reply.removeHeader('content-length')
  done(null, payload)
}

/**
 * Which precondition does not hold for something that exists and has no entity tag, as a sentence without its
 * full stop.
 */
function brokenWithoutTag({ ifMatch, ifNoneMatch }: Preconditions): string | undefined {
  if (ifMatch !== undefined && ifMatch !== '*') {
    return 'If-Match names entity tags, but what this path shows has none'
  }
  return ifNoneMatch === '*' ? 'If-None-Match is *, but there is something at this path' : undefined
}

function isSafe(method: string): boolean {
  return method === 'GET' || method === 'HEAD'
}
