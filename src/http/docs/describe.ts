/**
 * What a route says of itself for the API's description (`/v1/openapi.json`), beside the schemas that
 * validate its requests. It says it in its `schema`: `operationId`, `tags`, `summary`, `description`,
 * `response`, and the fields below. Nothing of it is looked at when requests are served.
 */
import type {} from '@fastify/swagger'
import type { TSchema } from 'typebox'
import type { ProblemCode } from '../../api/problem-codes.ts'
import type { RequestHeader, ResponseHeader } from './headers.ts'

declare module 'fastify' {
  interface FastifySchema {
    /**
     * The problems that this route answers with, beside those that every route may answer with (document.ts).
     */
    problems?: readonly ProblemCode[]
    /** The headers of requests that mean something to this route. */
    requestHeaders?: readonly RequestHeader[]
    /** The query as clients should see it, where `querystring` checks texts that stand for something else. */
    describedQuery?: TSchema
    /** Fastify makes a HEAD of every GET. When this is given, that HEAD is described as well. */
    describedHead?: Readonly<{ operationId: string; summary: string }>
  }
}

/** One answer of a route, for `schema.response`. */
export type Answer = Readonly<{
  description: string
  headers: Readonly<Record<string, object>>
  /** Of an answer without a body. */
  type?: 'null'
  content?: Readonly<Record<string, Readonly<{ schema: TSchema | object; example?: unknown }>>>
}>

type AnswerOptions = Readonly<{
  /** The headers that it has, beside those of every answer. */
  headers?: readonly ResponseHeader[]
  /** Default: the first example of the schema. */
  example?: unknown
  mediaType?: string
}>

/** An answer with a body, by default of JSON. */
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

/** References to headers of answers, by their names. */
export function headerRefs(names: readonly ResponseHeader[]): Record<string, object> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]))
}
