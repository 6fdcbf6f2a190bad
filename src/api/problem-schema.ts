import type { Static } from 'typebox'
import { PROBLEMS, type ProblemCode } from './problem-codes.ts'
import { Type } from './type.ts'

const CODES = Object.keys(PROBLEMS) as ProblemCode[]

/** An error of the public API. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Always about:blank: the code says what happened.' }),
    title: Type.String({ description: 'What the code means, as a sentence for people.' }),
    status: Type.Integer({ description: 'The HTTP status of the answer.' }),
    code: Type.Enum(CODES, {
      type: 'string',
      description:
        'Stable: a code never changes its meaning (docs/errors.md). A later version may add codes: decide by the status when you do not know the code.',
    }),
    detail: Type.Optional(Type.String({ description: 'What happened this time, for people.' })),
    outcome: Type.Optional(
      Type.Enum(['not_applied', 'unknown'], {
        type: 'string',
        description:
          '`not_applied`: nothing was changed, and nothing will be. `unknown`: the change may have been made, or may still be made.',
      }),
    ),
    requestId: Type.String({ description: 'As in the header `X-Request-Id`.' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
        maxItems: 16,
        description:
          'The errors in the request, one for each field. If there are more than 16, the last entry says so.',
      }),
    ),
  },
  { title: 'Problem', description: 'An error (RFC 9457).' },
)
export type Problem = Static<typeof Problem>
