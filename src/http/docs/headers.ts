/** The headers of requests and answers, for the API's description. */

const ETAG_EXAMPLE = '"3-6f1c0d9a42e8b753"'
export const REQUEST_ID_EXAMPLE = '5e1f0c9d7a3b4826-1a'

const requestId = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' }

/** As schemas, from which `@fastify/swagger` makes parameters. */
export const REQUEST_HEADERS = {
  'X-Request-Id': {
    ...requestId,
    description:
      'The id of this request in answers and logs: 1 to 128 visible ASCII characters. Any other value is replaced by a new id.',
    examples: [REQUEST_ID_EXAMPLE],
  },
  'If-Match': {
    type: 'string',
    description:
      'The request is served only if the group has one of these entity tags; otherwise the answer is 412 `version_mismatch`. `*` matches every group that exists. Weak tags never match (RFC 9110 §13.1.1).',
    examples: [ETAG_EXAMPLE],
  },
  'If-None-Match': {
    type: 'string',
    description:
      'The request is served only if the group has none of these entity tags. Otherwise GET and HEAD answer 304 without a body, and any other method answers 412 `precondition_failed` (RFC 9110 §13.1.2). `*` matches every group that exists. GET and HEAD ignore a value that cannot be read; the other methods refuse it.',
    examples: [ETAG_EXAMPLE],
  },
  'Idempotency-Key': {
    type: 'string',
    minLength: 1,
    maxLength: 255,
    pattern: '^[!-~]+$',
    description:
      'Makes the request safe to repeat: 1 to 255 visible ASCII characters, new for each request, for example a UUID. A group remembers the last 8 keys with which it was created or changed. The same request with the same key changes nothing any more, and is answered with the group as it is. Another request with the same key is answered 422 `idempotency_key_reused`. A request that was refused is not remembered, and a deleted group forgets its keys.',
    examples: ['8e03978e-40d5-43dd-bc93-6894a57f9324'],
  },
} as const

export type RequestHeader = keyof typeof REQUEST_HEADERS

/** As Header Objects of OpenAPI, by the names of the headers. */
export const RESPONSE_HEADERS = {
  'X-Request-Id': {
    description: 'The id of the request: the one that was sent, or a new one.',
    required: true,
    schema: requestId,
    example: REQUEST_ID_EXAMPLE,
  },
  ETag: {
    description:
      'A strong entity tag. Every state of a group has another one, also when the group was deleted and created again.',
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
  'WWW-Authenticate': {
    description: 'The scheme `Bearer`. The realm says which kinds of credentials this connector takes.',
    required: true,
    schema: { type: 'string' },
    example: 'Bearer realm="cohort: an API key as \\"Authorization: Bearer cohort_...\\""',
  },
  'Idempotency-Replayed': {
    description: 'Given if the same request was made before: it has changed nothing now.',
    schema: { type: 'string', const: 'true' },
    example: 'true',
  },
  Link: {
    description: 'Where the next page is, with `rel="next"` (RFC 8288). It is left out on the last page.',
    schema: { type: 'string' },
    example: '</v1/group?limit=100&after=payments>; rel="next"',
  },
  RateLimit: {
    description:
      'Only if the connector limits the rate of each caller: `r` requests are left, and in `t` seconds all are.',
    required: false,
    schema: { type: 'string' },
    example: '"caller";r=99;t=1',
  },
  'RateLimit-Policy': {
    description:
      'Only if the connector limits the rate of each caller: `q` requests in `w` seconds. Each connector counts by itself.',
    required: false,
    schema: { type: 'string' },
    example: '"caller";q=100;w=1',
  },
  'Retry-After': {
    description: 'After how many seconds to repeat the request.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  'Cache-Control': {
    description:
      '`no-cache`: a cache may keep the answer, but must ask the connector before it uses the answer again. `no-store`: the answer has a secret, and no cache may keep it.',
    schema: { type: 'string', enum: ['no-cache', 'no-store'] },
    example: 'no-cache',
  },
} as const

export type ResponseHeader = keyof typeof RESPONSE_HEADERS
