/** What the routes that restore a page of a backup have in common. */
import type { Failure } from '../../outcome.ts'

/**
 * The largest body, in bytes. It is more than the 64 KiB of the other routes, because the largest group alone
 * has about 90 KiB.
 */
export const RESTORE_BODY_BYTES_MAX = 1_024 * 1_024

/**
 * How a page failed as a whole. It is `not_applied` only if nothing of the page was restored, and nothing may
 * yet be. `undefined`: nothing failed.
 *
 * @param restored how many groups or members were restored
 */
export function failureOf(restored: number, failures: readonly Failure[]): Failure | undefined {
  const failure = failures.find(({ kind }) => kind === 'unknown') ?? failures[0]
  return failure === undefined || restored === 0 ? failure : { ...failure, kind: 'unknown' }
}
