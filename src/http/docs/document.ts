/**
 * The API as an OpenAPI 3.1 document. `@fastify/swagger` collects the routes. Each route describes itself
 * beside its handler (describe.ts). This file adds what all routes have in common, and makes components from
 * the schemas that have a title.
 */
import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger'
import type { FastifySchema } from 'fastify'
import { rightOf } from '../../access/route-rights.ts'
import type { ProblemCode } from '../../api/problem-codes.ts'
import { VERSION } from '../../process/version.ts'
import { Components } from './components.ts'
import { type Answer, emptyAnswer, headerRefs } from './describe.ts'
import { REQUEST_HEADERS, RESPONSE_HEADERS } from './headers.ts'
import { problemAnswers } from './problem-answers.ts'

const DESCRIPTION = `
Cohort keeps groups identical on several independent nodes. Every request is answered as if there were only
one copy: what one request has seen, every later request sees too, through any connector.

**Errors** are \`application/problem+json\` (RFC 9457) with a \`code\` that never changes its meaning. Two
codes need care. After \`unavailable\` (503, \`"outcome": "not_applied"\`) nothing was changed, and nothing
will be. After \`outcome_unknown\` (504, \`"outcome": "unknown"\`) the change may have been made, so read
before you repeat it, or repeat it with the same \`Idempotency-Key\`.

**Versions.** Every state of a group has another \`ETag\`, also when the group was deleted and created
again. Send the ETag as \`If-Match\` to change the group only if it is as you have seen it. Send it as
\`If-None-Match\` to read the group only if it has changed.

**Preconditions** (RFC 9110 §13) are checked on every path. Paths that do not name a group always exist and
have no entity tag: there \`If-None-Match: *\` and an \`If-Match\` with tags do not hold. Nothing has a
modification date, so \`If-Modified-Since\` and \`If-Unmodified-Since\` are ignored.

**Requests** have an id, \`X-Request-Id\`. You can send your own, of 1 to 128 visible ASCII characters;
otherwise the connector makes one. Every answer repeats it. Unknown fields are refused. If a JSON member is
given twice, the last one counts. A trailing slash in a path is ignored.
`.trim()

/** The problems that every route can answer. */
const PROBLEMS_OF_ALL = ['invalid_request', 'precondition_failed', 'internal_error'] as const

/** The problems of the routes that ask who the caller is. */
const PROBLEMS_OF_CALLERS = ['unauthenticated', 'forbidden', 'unavailable'] as const

/** The problems of the routes that cost something. */
const PROBLEMS_OF_LIMITS = ['rate_limited', 'overloaded'] as const

/** The credentials of these routes. `{}`: a connector without authentication takes none. */
const SECURITY = [{ bearer: [] }, { certificate: [] }, {}]

const SECURITY_SCHEMES = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: 'An API key (`cohort key create` makes one), or a token of the OIDC issuer.',
  },
  certificate: { type: 'mutualTLS', description: 'A client certificate.' },
}

/** The options with which `@fastify/swagger` makes the document from the routes. */
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
        { name: 'Group members', description: 'Who is in which group.' },
        { name: 'Access', description: 'Who may do what: API keys and callers.' },
        { name: 'Operations', description: 'For people who run a cluster, and for their tools.' },
        { name: 'Documentation', description: 'This description, in several forms.' },
      ],
      components: { securitySchemes: SECURITY_SCHEMES },
    } as object,
    // Swagger UI knows `const`.
    convertConstToEnum: false,
    exposeHeadRoutes: true,
    transform: ({ schema, url, route }) => ({
      url,
      schema: described(
        schema,
        { methods: [route.method].flat(), url, isLimited: route.config?.cost !== 'free' },
        components,
      ),
    }),
    transformObject: (document) =>
      finished('openapiObject' in document ? document.openapiObject : {}, components),
  }
}

/** The schema of a route, in the form that `@fastify/swagger` shows. */
function described(
  schema: FastifySchema | undefined,
  { methods, url, isLimited }: Readonly<{ methods: readonly string[]; url: string; isLimited: boolean }>,
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
  const isOpen = methods.every((method) => rightOf(method, url) === 'open')
  const answers = answersOf(response, [
    ...problems,
    ...(isOpen ? [] : PROBLEMS_OF_CALLERS),
    ...(isLimited ? PROBLEMS_OF_LIMITS : []),
  ])
  return {
    ...rest,
    security: isOpen ? [] : SECURITY,
    ...(isHead ? describedHead : {}),
    ...(querystring === undefined ? {} : { querystring }),
    ...(rest.body === undefined ? {} : { body: components.withReferences(rest.body as object) }),
    headers: { type: 'object', properties: Object.fromEntries(shownHeaders) },
    response: components.withReferences(isHead ? withoutContent(answers) : answers),
  }
}

/** The answer 304 of a read whose route does not describe one itself. */
const NOT_MODIFIED = { 304: emptyAnswer('`If-None-Match` is `*`, and there is something at this path.') }

const HEADERS_OF_ALL = ['X-Request-Id', 'RateLimit', 'RateLimit-Policy'] as const

function answersOf(response: object, problems: readonly ProblemCode[]): Record<string, object> {
  const answers = { ...response, ...problemAnswers([...problems, ...PROBLEMS_OF_ALL]) }
  return Object.fromEntries(
    Object.entries(answers).map(([status, answer]) => [
      status,
      { ...answer, headers: { ...headerRefs(HEADERS_OF_ALL), ...(answer as Answer).headers } },
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

/** The document with its components, and with an example for each body that refers to a component. */
function finished<T extends object>(document: T, components: Components): T {
  const { paths = {} } = document as { paths?: { [path: string]: { [method: string]: Operation } } }
  for (const { requestBody, responses = {} } of Object.values(paths).flatMap((item) => Object.values(item))) {
    const answers = Object.values(responses)
    for (const content of [requestBody?.content, ...answers.map((answer) => answer.content)]) {
      for (const media of Object.values(content ?? {})) components.addExample(media)
    }
    for (const { headers = {} } of answers) {
      // `@fastify/swagger` has wrapped each header as if it were a schema.
      for (const [name, header] of Object.entries(headers)) {
        headers[name] = (header as { schema: object }).schema
      }
    }
  }
  return {
    ...document,
    components: {
      schemas: components.schemas,
      headers: RESPONSE_HEADERS,
      securitySchemes: SECURITY_SCHEMES,
    },
  }
}
