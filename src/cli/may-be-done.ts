import type { Reply } from './api-client.ts'

/**
 * Whether a change may have been made although it was not answered with a success. A 5xx without an outcome
 * can come from a proxy.
 */
export function mayBeDone(reply: Reply<unknown>): boolean {
  if (reply.kind === 'broken') return true
  if (reply.kind !== 'problem') return false
  const { outcome, status } = reply.problem
  return outcome === 'unknown' || (outcome === undefined && status >= 500)
}
