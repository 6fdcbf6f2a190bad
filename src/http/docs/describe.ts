/**
 * How a route describes itself for `/v1/openapi.json`. Its `schema` has the schemas that validate requests.
 * It also has `operationId`, `tags`, `summary`, `description`, `response` and the fields below, which are not
 * used when requests are served.
 */
import type {} from '@fastify/swagger'
import type { TSchema } from 'typebox'
import type { ProblemCode } from '../../api/problem-codes.ts'
import type { RequestHeader, ResponseHeader } from './headers.ts'

declare module 'fastify' {
  interface FastifySchema {
    /**
     * The problems with which this route answers. Those of every route (document.ts) are added to them.
     */
    problems?: readonly ProblemCode[]
    /** The request headers that this route uses. */
    requestHeaders?: readonly RequestHeader[]
    /** The query as clients should see it, if `querystring` describes numbers as texts. */
    describedQuery?: TSchema
    /** Fastify makes a HEAD route for every GET route. If this is given, the HEAD route is described too. */
    describedHead?: Readonly<{ operationId: string; summary: string }>
  }
}

/** One answer of a route, for `schema.response`. */
export type Answer = Readonly<{
  description: string
  headers: Readonly<Record<string, object>>
  /** Given for an answer without a body. */
  type?: 'null'
  content?: Readonly<Record<string, Readonly<{ schema: TSchema | object; example?: unknown }>>>
}>

type AnswerOptions = Readonly<{
  /** The headers of this answer. Those of every answer are added to them. */
  headers?: readonly ResponseHeader[]
  /** Default: the first example of the schema. */
  example?: unknown
  mediaType?: string
}>

/** An answer with a body. The default media type is JSON. */
export function answer(
  description: string,
  schema: TSchema | object,
  { headers = [], example, mediaType = 'application/json' }: AnswerOptions = {},
): Answer {
  const media = example === undefined ? { schema } : { schema, example }
  return { description, headers: headerRefs(headers), content: { [mediaType]: media } }
}

/** An answer without a body. */
export function emptyAnswer(description: string, headers: readonly ResponseHeader[] = []): Answer {
  return { description, headers: headerRefs(headers), type: 'null' }
}

/** References to response headers, by name. */
export function headerRefs(names: readonly ResponseHeader[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}
