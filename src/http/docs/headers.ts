/** The headers of requests and answers, as the API's description has them. */

const ETAG_EXAMPLE = '"3-6f1c0d9a42e8b753"'
export const REQUEST_ID_EXAMPLE = '5e1f0c9d7a3b4826-1a'

const requestId = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' }

/** As schemas, of which `@fastify/swagger` makes parameters. */
export const REQUEST_HEADERS = {
  'X-Request-Id': {
    ...requestId,
    description:
      'The id under which this request appears in answers and logs. It has 1 to 128 visible ASCII characters; anything else is replaced by a fresh id.',
    examples: [REQUEST_ID_EXAMPLE],
  },
  'If-Match': {
    type: 'string',
    description:
      'Do it only if the group has one of these entity tags; else 412 `version_mismatch`. `*` matches every group that there is. Weak tags never match (RFC 9110 §13.1.1).',
    examples: [ETAG_EXAMPLE],
  },
  'If-None-Match': {
    type: 'string',
    description:
      'Do it only if the group has none of these entity tags. Else a GET or HEAD is answered with 304 without a body, and any other method with 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that there is. A value that cannot be read is ignored by GET and HEAD, and refused by others.',
    examples: [ETAG_EXAMPLE],
  },
} as const

export type RequestHeader = keyof typeof REQUEST_HEADERS

/** As Header Objects of OpenAPI, by the names of the headers. */
export const RESPONSE_HEADERS = {
  'X-Request-Id': {
    description: 'The id of the request: the one that was sent, or a fresh one.',
    required: true,
    schema: requestId,
    example: REQUEST_ID_EXAMPLE,
  },
  ETag: {
    description: 'A strong entity tag. No two states of an id have the same, in whatever lives of it.',
    required: true,
    schema: { type: 'string' },
    example: ETAG_EXAMPLE,
  },
  Location: {
    description: 'Where the new group is.',
    required: true,
    schema: { type: 'string', format: 'uri-reference' },
    example: '/v1/group/payments',
  },
  'Retry-After': {
    description: 'In how many seconds it is worth while to repeat the request.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  'Cache-Control': {
    description: 'A cache must ask before it uses an answer that it kept.',
    schema: { type: 'string', const: 'no-cache' },
    example: 'no-cache',
  },
} as const

export type ResponseHeader = keyof typeof RESPONSE_HEADERS
