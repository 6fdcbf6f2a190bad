/** What the routes of one group read from a request beside its body. */
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { GroupId } from '../../../api/schemas.ts'
import { type EtagCondition, parseEtagCondition } from '../../../group/etag.ts'
import { GROUP_ID_LENGTH_MAX } from '../../../group/limits.ts'
import { invalidRequest } from '../../request-error.ts'

export const GROUP_PATH = '/v1/group/:groupId'

/** A code point is at most four bytes of UTF-8, each at most three characters (`%F0`) of a path. */
export const PARAM_LENGTH_MAX = GROUP_ID_LENGTH_MAX * 12

export const GroupParams = Type.Object({ groupId: GroupId })

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
