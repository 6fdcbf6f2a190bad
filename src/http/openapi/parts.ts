/** What several operations share: parameters, headers, and answers that are errors. */
import { MemberParams } from '../../api/member-schemas.ts'
import { PROBLEMS, type ProblemCode } from '../../api/problem-codes.ts'
import { GroupId } from '../../api/schemas.ts'
import { PROBLEM_MEDIA_TYPE, type ProblemExtras, problemOf } from '../problem.ts'

const ETAG_EXAMPLE = '"3-6f1c0d9a42e8b753"'
const REQUEST_ID_EXAMPLE = '5e1f0c9d7a3b4826-1a'

const requestIdSchema = { type: 'string', minLength: 1, maxLength: 128, pattern: '^[!-~]+$' }

export const parameters = {
  GroupId: {
    name: 'groupId',
    in: 'path',
    required: true,
    description:
      'The id, percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients take such a segment out of the path before they send it.',
    schema: GroupId,
    example: 'payments',
  },
  NodeId: {
    name: 'nodeId',
    in: 'path',
    required: true,
    description: 'The id of a member, as `GET /v1/cluster` shows it.',
    schema: MemberParams.properties.nodeId,
    example: '6f1c0d9a-42e8-4b75-9c1d-0d9a42e8b753',
  },
  RequestId: {
    name: 'X-Request-Id',
    in: 'header',
    description:
      'The id under which this request appears in answers and logs. Anything else than 1 to 128 visible ASCII characters is replaced.',
    schema: requestIdSchema,
    example: REQUEST_ID_EXAMPLE,
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    description:
      'Make the change only if the group has one of these entity tags; else 412 `version_mismatch`. `*` matches every group there is. Weak tags never match (RFC 9110 §13.1.1).',
    schema: { type: 'string' },
    example: ETAG_EXAMPLE,
  },
  IfNoneMatch: {
    name: 'If-None-Match',
    in: 'header',
    description:
      'Answer 304 without a body if the group has one of these entity tags (RFC 9110 §13.1.2). A value that cannot be read is ignored.',
    schema: { type: 'string' },
    example: ETAG_EXAMPLE,
  },
  After: {
    name: 'after',
    in: 'query',
    description: 'Where the page starts: after the group of this id. Left out: at the first.',
    schema: GroupId,
    example: 'payments',
  },
  Limit: {
    name: 'limit',
    in: 'query',
    description: 'How many groups a page has at most.',
    schema: { type: 'integer', minimum: 1, maximum: 1_000, default: 100 },
  },
} as const

export const headers = {
  RequestId: {
    description: "The request's id: the one that was sent, or a fresh one.",
    required: true,
    schema: requestIdSchema,
    example: REQUEST_ID_EXAMPLE,
  },
  ETag: {
    description: 'Strong, and different for every state of an id, in whatever lives of it.',
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
  RetryAfter: {
    description: 'In how many seconds a repetition is worth while.',
    required: true,
    schema: { type: 'integer', minimum: 1 },
    example: 1,
  },
  CacheControl: {
    description: 'A cache has to ask whether what it keeps still holds.',
    schema: { type: 'string', const: 'no-cache' },
  },
} as const

/** References to headers of every answer, and to further ones of this. */
export function headerRefs(further: Readonly<Record<string, keyof typeof headers>> = {}): object {
  const names = { 'X-Request-Id': 'RequestId', ...further }
  return Object.fromEntries(
    Object.entries(names).map(([name, part]) => [name, { $ref: `#/components/headers/${part}` }]),
  )
}

export function parameterRefs(...names: (keyof typeof parameters)[]): object[] {
  return ['RequestId' as const, ...names].map((name) => ({ $ref: `#/components/parameters/${name}` }))
}

/** An answer with a body of JSON. */
export function jsonAnswer(description: string, schema: object, example: object | undefined): object {
  const media = example === undefined ? { schema } : { schema, example }
  return { description, headers: headerRefs(), content: { 'application/json': media } }
}

/** A body of JSON, by the name of its schema. */
export function jsonBody(schema: string, mediaTypes: readonly string[], example: object): object {
  const media = { schema: { $ref: `#/components/schemas/${schema}` }, example }
  return { required: true, content: Object.fromEntries(mediaTypes.map((type) => [type, media])) }
}

/** The answers of these codes, by status, with an example of each. 500 is one of everywhere's. */
export function problems(...codes: ProblemCode[]): Record<string, object> {
  const byStatus = new Map<number, ProblemCode[]>()
  for (const code of [...codes, 'internal_error'] as const) {
    const { status } = PROBLEMS[code]
    byStatus.set(status, [...(byStatus.get(status) ?? []), code])
  }
  return Object.fromEntries([...byStatus].map(([status, alike]) => [String(status), problemAnswer(alike)]))
}

function problemAnswer(codes: readonly ProblemCode[]): object {
  const examples = codes.map((code) => [code, { value: problemOf(code, REQUEST_ID_EXAMPLE, EXAMPLES[code]) }])
  const isRetryable = codes.some((code) => code === 'unavailable' || code === 'not_ready')
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: headerRefs(isRetryable ? { 'Retry-After': 'RetryAfter' } : {}),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        schema: { $ref: '#/components/schemas/Problem' },
        examples: Object.fromEntries(examples),
      },
    },
  }
}

const EXAMPLES: { readonly [code in ProblemCode]?: ProblemExtras } = {
  invalid_request: {
    detail: 'groupId must have at least 1 character; labels.team must be a string',
    errors: [
      { field: 'groupId', message: 'must have at least 1 character' },
      { field: 'labels.team', message: 'must be a string' },
    ],
  },
  invalid_json: { detail: 'The body is not UTF-8' },
  invalid_path: { detail: 'Percent escapes in a path must be UTF-8, as in a%2Fb.' },
  too_many_labels: { errors: [{ field: 'labels', message: 'must have at most 64 entries after the patch' }] },
  internal_error: { outcome: 'unknown' },
  unavailable: {
    detail: 'Nothing was done, and nothing will be: too few nodes answered in time.',
    outcome: 'not_applied',
  },
  outcome_unknown: {
    detail:
      'It may have been done: too few nodes answered in time to tell whether it was done. Read before you repeat.',
    outcome: 'unknown',
  },
}
