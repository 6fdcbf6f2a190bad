import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { RepeatableRequest } from '../group/repeatable.ts'
import { invalidRequest } from './request-error.ts'

/** 1 to 255 visible ASCII characters. Two header fields come as one value with a space in it. */
const KEY = /^[!-~]{1,255}$/

/**
 * The request, if it has an `Idempotency-Key`, by which a group knows it again. Two requests are the same if
 * they are for the same group, and have the same method, preconditions and body.
 *
 * @throws RequestError for a key that cannot be used
 */
export function repeatableRequest(
  request: Pick<FastifyRequest, 'headers' | 'method' | 'body'>,
): RepeatableRequest | undefined {
  const { 'idempotency-key': key, 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = request.headers
  if (key === undefined) return undefined
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw invalidRequest([
      { field: 'Idempotency-Key', message: 'must be 1 to 255 visible ASCII characters, given once' },
    ])
  }
  const { method, body } = request
  return { key: digest(key), content: digest(JSON.stringify([method, ifMatch, ifNoneMatch, body])) }
}

/** 128 bits, in characters that need no escape in JSON. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest().subarray(0, 16).toString('base64url')
}
