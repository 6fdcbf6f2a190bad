/** The answers to callers who have not shown who they are. */
import type { Verdict } from '../../access/authenticator.ts'
import { RequestError } from '../request-error.ts'

export type RefusalOptions = Readonly<{
  /** The kinds of credentials that this connector takes. */
  kinds: readonly string[]
  retryAfterSeconds: number
}>

/** The error, and the headers that its answer needs. */
export type AuthRefusal = Readonly<{ error: RequestError; headers: { [name: string]: string | number } }>

/**
 * 401 for credentials that are missing or not valid, 503 for those that cannot be checked at the moment.
 */
export function refusalOf(
  verdict: Exclude<Verdict, { kind: 'known' }>,
  { kinds, retryAfterSeconds }: RefusalOptions,
): AuthRefusal {
  switch (verdict.kind) {
    case 'missing':
      return {
        error: new RequestError('unauthenticated', `Send ${orOf(kinds)}.`),
        headers: { 'www-authenticate': challenge(kinds) },
      }
    case 'refused':
      return {
        error: new RequestError('unauthenticated', `${verdict.reason} Send ${orOf(kinds)}.`),
        headers: { 'www-authenticate': `${challenge(kinds)}, error="invalid_token"` },
      }
    case 'unavailable':
      return {
        error: new RequestError(
          'unavailable',
          `Nothing was changed, and nothing will be: ${verdict.reason}.`,
          {
            outcome: 'not_applied',
          },
        ),
        headers: { 'retry-after': retryAfterSeconds },
      }
    default:
      return verdict satisfies never
  }
}

/** RFC 6750 §3. The realm names the kinds of credentials, for people who see only the headers. */
function challenge(kinds: readonly string[]): string {
  const realm = `cohort: ${kinds.join(', or ')}`.replaceAll(/[^\x20-\x7e]/g, '?').replaceAll(/["\\]/g, '\\$&')
  return `Bearer realm="${realm}"`
}

function orOf(kinds: readonly string[]): string {
  return kinds.join(', or ')
}
