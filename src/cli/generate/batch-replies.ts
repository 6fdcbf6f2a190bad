import type { Static } from 'typebox'
import type { Problem } from '../../api/problem-schema.ts'
import type { Reply } from '../api-client.ts'

/** The result of one thing in the answer to a batch. */
type Result = Readonly<{ status: number }> &
  (Readonly<{ etag: string }> | Readonly<{ problem: Static<typeof Problem> }>)

/** The reply that each of `count` things of a batch would have had alone. */
export function repliesOf<R extends Result>(
  count: number,
  reply: Reply<readonly R[]>,
): Reply<Exclude<R, { problem: unknown }>>[] {
  if (reply.kind !== 'answered') return Array.from({ length: count }, () => reply)
  return reply.value.map((result) => {
    if ('problem' in result) {
      const { detail, outcome, errors = [], ...problem } = result.problem
      return { kind: 'problem', problem: { ...problem, detail, outcome, errors }, text: '' }
    }
    const value = result as Exclude<R, { problem: unknown }>
    return { kind: 'answered', status: result.status, etag: result.etag, value, text: '' }
  })
}
