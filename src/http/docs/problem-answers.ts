/** Describes the error answers of a route, for the API's description. */
import { PROBLEMS, type ProblemCode } from '../../api/problem-codes.ts'
import { Problem } from '../../api/problem-schema.ts'
import { PROBLEM_MEDIA_TYPE, type ProblemExtras, problemOf } from '../problem.ts'
import { headerRefs } from './describe.ts'
import { REQUEST_ID_EXAMPLE } from './headers.ts'

/** An answer for each status that these codes have, with an example of each code. */
export function problemAnswers(codes: readonly ProblemCode[]): Record<string, object> {
  const byStatus = Map.groupBy(new Set(codes), (code) => PROBLEMS[code].status)
  return Object.fromEntries([...byStatus].map(([status, alike]) => [status, problemAnswer(alike)]))
}

/** The problems whose answers say when to repeat the request. */
const RETRYABLE: ReadonlySet<ProblemCode> = new Set([
  'unavailable',
  'not_ready',
  'overloaded',
  'rate_limited',
])

function problemAnswer(codes: readonly ProblemCode[]): object {
  const isChallenge = codes.includes('unauthenticated')
  const isRetryable = codes.some((code) => RETRYABLE.has(code))
  const examples = codes.map((code) => [code, { value: problemOf(code, REQUEST_ID_EXAMPLE, EXTRAS[code]) }])
  return {
    description: codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' '),
    headers: headerRefs([
      ...(isRetryable ? (['Retry-After'] as const) : []),
      ...(isChallenge ? (['WWW-Authenticate'] as const) : []),
    ]),
    content: {
      [PROBLEM_MEDIA_TYPE]: {
        // The codes of this answer, so that typed clients know them.
        schema: {
          allOf: [
            Problem,
            { type: 'object', properties: { code: { type: 'string', enum: codes } }, required: ['code'] },
          ],
        },
        examples: Object.fromEntries(examples),
      },
    },
  }
}

const EXTRAS: { readonly [code in ProblemCode]?: ProblemExtras } = {
  invalid_request: {
    detail: 'groupId must have at least 1 character; labels.team must be a string',
    errors: [
      { field: 'groupId', message: 'must have at least 1 character' },
      { field: 'labels.team', message: 'must be a string' },
    ],
  },
  invalid_json: { detail: 'The body is not UTF-8' },
  invalid_path: { detail: 'Percent escapes in a path must be UTF-8, as in a%2Fb.' },
  unauthenticated: { detail: 'Send an API key as "Authorization: Bearer cohort_...".' },
  forbidden: {
    detail: 'This needs the role writer or admin; the key ci (k7Gh3abc) has the role reader.',
  },
  too_many_labels: { errors: [{ field: 'labels', message: 'must be at most 64 in all' }] },
  internal_error: { outcome: 'unknown' },
  rate_limited: {
    detail:
      'Nothing was changed, and nothing will be: a caller may send 100 requests in a second to this connector.',
    outcome: 'not_applied',
  },
  overloaded: {
    detail:
      'Nothing was changed, and nothing will be: this connector has more such requests than it can finish in time.',
    outcome: 'not_applied',
  },
  unavailable: {
    detail: 'Nothing was changed, and nothing will be: too few nodes answered in time.',
    outcome: 'not_applied',
  },
  outcome_unknown: {
    detail:
      'The change may have been made: too few nodes answered in time to tell. Read before you repeat it.',
    outcome: 'unknown',
  },
}
