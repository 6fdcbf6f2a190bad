/** What the routes of one group read from a request beside its body. */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { GroupId } from '../../api/schemas.ts'
import { type EtagCondition, parseEtagCondition } from '../../group/etag.ts'
import { GROUP_ID_LENGTH_MAX } from '../../group/limits.ts'
import { invalidRequest, RequestError } from './request-error.ts'

export const GROUP_PATH = '/v1/group/:groupId'

/** A code point is at most four bytes of UTF-8, each at most three characters (`%F0`) of a path. */
export const PARAM_LENGTH_MAX = GROUP_ID_LENGTH_MAX * 12

export const GroupParams = Type.Object({ groupId: GroupId })

/** Node reads the request line as Latin-1: bytes beyond ASCII would silently be another id. */
const BEYOND_ASCII = /[^\x21-\x7e]/

/** The id in the path. @throws RequestError when the path holds bytes that should have been percent-encoded */
export function groupIdOf(request: FastifyRequest<{ Params: { groupId: string } }>): string {
  if (BEYOND_ASCII.test(request.raw.url!)) {
    throw new RequestError('invalid_path', 'What is not ASCII in a path must be percent-encoded UTF-8.')
  }
  return request.params.groupId
}

/** The request's `If-Match`, if it has one. @throws RequestError when it cannot be read: it must not be ignored */
export function ifMatchOf({ headers }: Pick<FastifyRequest, 'headers'>): EtagCondition | undefined {
  const text = headers['if-match']
  if (text === undefined) return undefined
  const condition = parseEtagCondition(text)
  if (condition === undefined) {
    throw invalidRequest([
      { field: 'If-Match', message: 'must be * or entity tags with their quotes: "1-af09"' },
    ])
  }
  return condition
}

/** The request's `If-None-Match`, if it has one that can be read: ignoring it only costs a body. */
export function ifNoneMatchOf({ headers }: Pick<FastifyRequest, 'headers'>): EtagCondition | undefined {
  const text = headers['if-none-match']
  return text === undefined ? undefined : parseEtagCondition(text)
}
