/**
 * The API as OpenAPI 3.1. `@fastify/swagger` collects the routes that there are; what each says of itself
 * stands beside its handler (describe.ts). This file adds what all have in common, and makes components of
 * the schemas with a title.
 */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import type { ProblemCode } from '../../api/problem-codes.ts'
import { VERSION } from '../../process/version.ts'
import { Components } from './components.ts'
import { type Answer, emptyAnswer, headerRefs } from './describe.ts'
import { REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.ts'
import { problemAnswers } from './problem-answers.ts'

const DESCRIPTION = `
Cohort keeps groups identical on several independent nodes. Every request is answered as if there were one
copy: what a request sees, every later request sees too, whichever connector it asks.

**Errors** are \`application/problem+json\` (RFC 9457) with a \`code\` that never changes its meaning. Two
of them say what became of a change: after \`unavailable\` (503, \`"outcome": "not_applied"\`) nothing was
done, and nothing will be; after \`outcome_unknown\` (504, \`"outcome": "unknown"\`) it may have been done,
so read before you repeat.

**Versions.** The \`ETag\` of a group is different for every state of it, also when the group was deleted
and made again. Send it as \`If-Match\` to change only what you have seen, and as \`If-None-Match\` to read
only what is new.

**Preconditions** (RFC 9110 §13) are judged on every path. What is not a group exists always and has no
entity tag: there \`If-None-Match: *\` and an \`If-Match\` with tags do not hold. Nothing has a modification
date, so \`If-Modified-Since\` and \`If-Unmodified-Since\` are ignored.

**Requests** have an id, \`X-Request-Id\`: yours, if you send one of 1 to 128 visible ASCII characters, else
a fresh one. It comes back with every answer. Fields that are not known are refused. If a JSON member is
given twice, the last one counts. A trailing slash in a path means nothing.
`.trim()

/** What can happen to a request of any route. */
const PROBLEMS_OF_ALL = ['invalid_request', 'precondition_failed', 'internal_error'] as const

/** How `@fastify/swagger` makes the document of the routes. */
export function documentOptions(): FastifyDynamicSwaggerOptions {
  const components = new Components()
  return {
    mode: 'dynamic',
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Cohort',
        version: VERSION,
        description: DESCRIPTION,
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: '/', description: 'The connector that serves this document' }],
      tags: [
        { name: 'Groups', description: 'Create, read, change and delete groups.' },
        { name: 'Operations', description: 'For those who run a cluster, and their tools.' },
        { name: 'Documentation', description: 'This description, in several forms.' },
      ],
    } as NonNullable<FastifyDynamicSwaggerOptions['openapi']>,
    // Swagger UI knows `const`.
    convertConstToEnum: false,
    exposeHeadRoutes: true,
    transform: ({ schema, url, route }) => ({
      url,
      schema: described(schema, [route.method].flat(), components),
    }),
    transformObject: (document) =>
      finished('openapiObject' in document ? document.openapiObject : {}, components),
  }
}

/** A route's schema as `@fastify/swagger` is to show it. */
function described(
  schema: FastifySchema | undefined,
  methods: readonly string[],
  components: Components,
): FastifySchema {
  const isHead = methods.includes('HEAD')
  const { problems = [], requestHeaders = [], describedQuery, describedHead, ...rest } = schema ?? {}
  if (rest.hide || (isHead && describedHead === undefined)) return { hide: true }
  const shownHeaders = (['X-Request-Id', ...requestHeaders] as const).map((name) => [
    name,
    REQUEST_HEADERS[name],
  ])
  const querystring = describedQuery ?? rest.querystring
  const response = {
    ...(isHead || methods.includes('GET') ? NOT_MODIFIED : {}),
    ...(rest.response as object),
  }
  const answers = answersOf(response, problems)
  return {
    ...rest,
    ...(isHead ? describedHead : {}),
    ...(querystring === undefined ? {} : { querystring }),
    ...(rest.body === undefined ? {} : { body: components.withReferences(rest.body as object) }),
    headers: { type: 'object', properties: Object.fromEntries(shownHeaders) },
    response: components.withReferences(isHead ? withoutContent(answers) : answers),
  }
}

/** What a read is answered with, unless its route says more of it. */
const NOT_MODIFIED = { 304: emptyAnswer('`If-None-Match` is `*`, and there is something at this path.') }

function answersOf(response: object, problems: readonly ProblemCode[]): Record<string, object> {
  const answers = { ...response, ...problemAnswers([...problems, ...PROBLEMS_OF_ALL]) }
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { ...answer, headers: { ...headerRefs(['X-Request-Id']), ...(answer as Answer).headers } },
    ]),
  )
}

function withoutContent(answers: Record<string, object>): Record<string, object> {
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { ...answer, content: undefined, type: 'null' },
    ]),
  )
}

type Media = { schema?: { $ref?: string }; example?: unknown; examples?: unknown }
type Content = { [mediaType: string]: Media }
type Operation = {
  requestBody?: { content: Content }
  responses?: { [status: string]: { headers?: { [name: string]: object }; content?: Content } }
}

/** The document with its components, and with an example for each body that is one of them. */
function finished<T extends object>(document: T, components: Components): T {
  const { paths = {} } = document as { paths?: { [path: string]: { [method: string]: Operation } } }
  for (const { requestBody, responses = {} } of Object.values(paths).flatMap((item) => Object.values(item))) {
    const answers = Object.values(responses)
    for (const content of [requestBody?.content, ...answers.map((answer) => answer.content)]) {
      for (const media of Object.values(content ?? {})) components.addExample(media)
    }
    for (const { headers = {} } of answers) {
      // `@fastify/swagger` takes each header for a schema.
      for (const [name, header] of Object.entries(headers)) {
        headers[name] = (header as { schema: object }).schema
      }
    }
  }
  return { ...document, components: { schemas: components.schemas, headers: RESPONSE_HEADERS } }
}
