/**
 * Records that a disk has spoiled (protocol.md §9). What such a record had promised and accepted is lost, so
 * the node has no vote on the key. For this key, the node counts as one that does not answer, until it learns
 * a state at a ballot above every promise that it can have given. Its record is then the same as if it had
 * never been damaged.
 */
import { EMPTY_RECORD, onLearn } from './acceptor.ts'
import { PLAUSIBLE_ROUND_MAX } from './ballot.ts'
import type { Records } from './known-chosen.ts'
import type { Answer, Damage, Holding, KeyRecord, Reply, Request } from './messages.ts'

/**
 * The distance by which a node raises its promise bound above a promise, so that most transactions need not
 * write the bound.
 */
export const PROMISE_BOUND_STEP = 1_024

export function isDamage(reply: Reply | Holding): reply is Damage {
  return 'promiseBound' in reply
}

/** The whole records among those that nodes hold; a damaged record says nothing about its node. */
export function wholeRecords(holdings: readonly (Holding | undefined)[]): Records {
  return holdings.map((holding) => (holding === undefined || isDamage(holding) ? undefined : holding))
}

/**
 * The promise bound that a node must store together with a record, or before it: no promise of the node, for
 * any key, has a higher round number. An implausible promise was made by a fault (protocol.md §4.7), and does
 * not count: else no damaged record of the node could heal any more.
 */
export function promiseBoundFor(
  bound: number,
  { promised: { round } }: KeyRecord,
  step = PROMISE_BOUND_STEP,
): number {
  if (round <= bound || round > PLAUSIBLE_ROUND_MAX) return bound
  return Math.min(round + step, PLAUSIBLE_ROUND_MAX)
}

/**
 * A request about a key whose record is damaged. `undefined`: the node answers with the damage, and changes
 * nothing. A learn at a ballot above the bound heals the record: every promise that was lost is below that
 * ballot, and so is every vote.
 */
export function onDamaged({ promiseBound }: Damage, request: Request): Answer | undefined {
  if (request.kind !== 'learn' || request.ballot.round <= promiseBound) return undefined
  return onLearn(EMPTY_RECORD, request)
}
