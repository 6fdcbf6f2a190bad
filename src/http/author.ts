import type { FastifyRequest } from 'fastify'
import type { Author } from '../group/author.ts'

/** The author of what a request changes. */
export function authorOfRequest({ caller, id }: Pick<FastifyRequest, 'caller' | 'id'>): Author {
  return { updatedBy: caller.ref, requestId: id }
}
