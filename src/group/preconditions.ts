import { type EtagCondition, matchesStrongly, matchesWeakly } from './etag.ts'
import type { Tagged } from './group.ts'

/**
 * What a request requires of the group before it changes or reads it (RFC 9110 §13.1). `undefined`: nothing.
 */
export type Preconditions = Readonly<{
  ifMatch?: EtagCondition | undefined
  ifNoneMatch?: EtagCondition | undefined
}>

/**
 * The first precondition, in the order of RFC 9110 §13.2.2, that does not hold for a group. `undefined`: all
 * hold.
 */
export function brokenPrecondition(
  { ifMatch, ifNoneMatch }: Preconditions,
  group: Tagged,
): 'version_mismatch' | 'precondition_failed' | undefined {
  if (ifMatch !== undefined && !matchesStrongly(ifMatch, group)) return 'version_mismatch'
  if (ifNoneMatch !== undefined && matchesWeakly(ifNoneMatch, group)) return 'precondition_failed'
  return undefined
}
