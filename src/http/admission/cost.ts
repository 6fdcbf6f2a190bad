import type { GateLimits } from './gate.ts'

/**
 * What a request costs. Each kind has a gate of its own, so that a flood of one kind delays the others
 * little:
 *
 * - `key`: reads or changes one group, or one member of a group;
 * - `list`: reads a page of groups, or asks every node;
 * - `bulk`: a batch of changes, or a page of a backup or of a restore;
 * - `operations`: what people and tools ask for that run a cluster, and the documentation;
 * - `free`: costs nothing, and is never refused.
 */
export type Cost = 'key' | 'list' | 'bulk' | 'operations' | 'free'

export type LimitedCost = Exclude<Cost, 'free'>

export const LIMITED_COSTS: readonly LimitedCost[] = ['key', 'list', 'bulk', 'operations']

/**
 * The limits of each kind. 512 keys fill two batches of 128 requests to each node, and two more while those
 * travel; more at a time would only wait in the links. One page of a list occupies the process for some
 * milliseconds, and a page of a restore changes up to 256 groups at once.
 */
const LIMITS: { readonly [cost in LimitedCost]: Omit<GateLimits, 'waitMsMax'> } = {
  key: { runningMax: 512, waitingMax: 16_384 },
  list: { runningMax: 4, waitingMax: 4_096 },
  bulk: { runningMax: 2, waitingMax: 64 },
  operations: { runningMax: 8, waitingMax: 1_024 },
}

/**
 * The part of an operation timeout for which a request may wait for its turn. The rest is left for the
 * request itself.
 */
const WAITS_PER_TIMEOUT = 3

/** The limits of a kind, for operations that take at most `timeoutMs`. */
export function gateLimitsOf(cost: LimitedCost, timeoutMs: number): GateLimits {
  return { ...LIMITS[cost], waitMsMax: timeoutMs / WAITS_PER_TIMEOUT }
}
