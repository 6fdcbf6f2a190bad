import { isUtf8 } from 'node:buffer'
import type { FastifyInstance } from 'fastify'
import { OVERLOADED } from './admission/overloaded.ts'
import { RequestError } from './request-error.ts'

/** The largest body that is taken, in bytes. */
export const BODY_BYTES_MAX = 64 * 1_024

/** The problems of every route that takes a JSON body. Errors of its schema are `invalid_request`. */
export const JSON_BODY_PROBLEMS = ['invalid_json', 'body_too_large', 'unsupported_media_type'] as const

/**
 * Takes JSON bodies of these media types, and no others, on the routes of `app`.
 *
 * The body must be UTF-8: Node.js would turn invalid bytes into U+FFFD, and two different texts would become
 * equal. A member may be named `__proto__` (a label can have that name): `JSON.parse` makes it an own
 * property, and this code never merges objects by assignment. If a name is given twice, the last one counts
 * (RFC 8259 §4).
 */
export function takeJsonBodies(app: FastifyInstance, mediaTypes: string[]): void {
  app.addContentTypeParser(mediaTypes, { parseAs: 'buffer' }, (request, body, done) => {
    const parse = () => {
      try {
        done(null, parseJson(body as Buffer, request.headers['content-encoding']))
      } catch (error) {
        done(error as RequestError)
      }
    }
    // A body waits for its turn as bytes: what is parsed can take 20 times as much memory.
    if (request.gate === null) parse()
    else request.gate.enter(request, parse, () => done(OVERLOADED))
  })
}

/**
 * Reads and drops a body of any type. This is for DELETE: its body has no meaning (RFC 9110 §9.3.5), but many
 * clients send a Content-Type, with or without a body.
 */
export function dropBodies(app: FastifyInstance): void {
  app.addHook('onRequest', (request, _reply, done) => {
    // Fastify would answer 415 to a Content-Type that it cannot read.
    delete request.raw.headers['content-type']
    done()
  })
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, _body, done) => done(null, undefined))
}

function parseJson(body: Buffer, encoding: string | undefined): unknown {
  if (encoding !== undefined && encoding !== 'identity') {
    throw new RequestError('unsupported_media_type', 'The body must not have a Content-Encoding')
  }
  if (body.length === 0) throw new RequestError('invalid_json', 'The body is empty')
  if (!isUtf8(body)) throw new RequestError('invalid_json', 'The body is not UTF-8')
  try {
    return JSON.parse(body.toString())
  } catch (error) {
    throw new RequestError('invalid_json', (error as SyntaxError).message)
  }
}
