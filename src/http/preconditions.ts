/**
 * Preconditions of requests (RFC 9110 §13). A group has an entity tag, and its routes judge preconditions by
 * it. What every other path shows exists always and has no entity tag, so that its preconditions are judged
 * here, for all routes at once. Nothing has a modification date: `If-Modified-Since` and
 * `If-Unmodified-Since` are ignored (§13.1.3, §13.1.4), and so is `If-Range`, since there are no ranges.
 */
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest, onSendHookHandler } from 'fastify'
import { type EtagCondition, parseEtagCondition } from '../group/etag.ts'
import type { Preconditions } from '../group/preconditions.ts'
import { PROBLEM_MEDIA_TYPE, problemOf } from './problem.ts'
import { invalidRequest, RequestError } from './request-error.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route shows or changes has an entity tag: its handler judges preconditions. */
    hasEntityTag?: boolean
  }
}

type Headers = Pick<FastifyRequest, 'headers'>

/** The preconditions of a request that changes something. @throws RequestError for one that cannot be read */
export function preconditionsOfChange({ headers }: Headers): Preconditions {
  return {
    ifMatch: conditionIn('If-Match', headers['if-match']),
    ifNoneMatch: conditionIn('If-None-Match', headers['if-none-match']),
  }
}

/**
 * The preconditions of a request that reads. An `If-None-Match` that cannot be read is ignored: that only
 * costs a body.
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
  throw invalidRequest([{ field: name, message: 'must be * or entity tags with their quotes: "1-af09"' }])
}

/** Judges preconditions on the routes without `hasEntityTag`. Call it before the first route is added. */
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
  // A read is judged by its answer: preconditions count only when it would succeed without them (§13.2.1).
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
      // What Fastify does to answer HEAD needs a text.
      return done(null, request.method === 'HEAD' ? '' : null)
    }
    const problem = problemOf('precondition_failed', request.id, { detail: `${detail}.` })
    reply.code(problem.status).type(`${PROBLEM_MEDIA_TYPE}; charset=utf-8`).removeHeader('content-length')
    done(null, JSON.stringify(problem))
  })
}

/**
 * Fastify gives every answer to HEAD the length of its body: 0 for a 304, but a GET would have one (§8.6).
 */
const dropLengthOf304: onSendHookHandler = (_request, reply, payload, done) => {
  if (reply.statusCode === 304) reply.removeHeader('content-length')
  done(null, payload)
}

/**
 * The precondition that is broken by something that exists and has no entity tag, as a sentence without its
 * end.
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
