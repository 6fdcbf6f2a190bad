import { type Static, Type } from 'typebox'
import { PROBLEMS, type ProblemCode } from './problem-codes.ts'

const CODES = Object.keys(PROBLEMS) as ProblemCode[]

/** An error of the public API. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'Always about:blank: the code says what happened.' }),
    title: Type.String({ description: 'The code as a sentence for a person.' }),
    status: Type.Integer({ description: 'The status of the answer.' }),
    code: Type.Enum(CODES, {
      type: 'string',
      description:
        'Stable: a code never changes its meaning (docs/errors.md). A later version may add codes: decide by the status when you do not know the code.',
    }),
    detail: Type.Optional(Type.String({ description: 'What happened this time, for a person.' })),
    outcome: Type.Optional(
      Type.Enum(['not_applied', 'unknown'], {
        type: 'string',
        description:
          '`not_applied`: nothing was done, and nothing will be. `unknown`: it may have been done, or may yet be.',
      }),
    ),
    requestId: Type.String({ description: 'As in the header `X-Request-Id`.' }),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), message: Type.String() }), {
        maxItems: 16,
        description: 'What is wrong with the request, by field. When there is more, the last entry says so.',
      }),
    ),
  },
  { title: 'Problem', description: 'An error (RFC 9457).' },
)
export type Problem = Static<typeof Problem>
