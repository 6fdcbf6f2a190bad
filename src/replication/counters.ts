/**
 * What a connector counts, as plain numbers. `engine-metrics.ts` shows them to Prometheus.
 */
import { BucketCounts, SIZE_BOUNDS } from '../metrics/bucket-counts.ts'
import type { Answer } from '../register/messages.ts'
import type { KeyFault, Outcome } from '../register/operation.ts'
import type { Round, RoundKind } from '../register/round.ts'

export class Counters {
  /** Rounds that have begun. */
  readonly rounds: Record<RoundKind, number> = { fast: 0, led: 0, classic: 0, read: 0 }
  /** Rounds that at least one node refused. */
  readonly refusedRounds: Record<RoundKind, number> = { fast: 0, led: 0, classic: 0, read: 0 }
  readonly operations: Record<Outcome['kind'], number> = { decided: 0, not_applied: 0, unknown: 0 }
  /** Operations that ended because of a fault of their key. */
  readonly keyFaults: Record<KeyFault, number> = { exhausted: 0, unreadable: 0 }
  /** Waits before a round is tried again. */
  backoffs = 0
  /** Requests in one batch to one node; heartbeats are not counted. */
  readonly batchSizes = new BucketCounts(SIZE_BOUNDS)

  /** Call it when a request of this round is sent. The first one begins the round. */
  countRequest(round: Round): void {
    if (round.isBegun) return
    round.isBegun = true
    this.rounds[round.kind] += 1
  }

  /** Call it when a node has answered a request of this round. A refused round is counted once. */
  countAnswer(round: Round, { ok }: Answer): void {
    if (ok || round.isRefused) return
    round.isRefused = true
    this.refusedRounds[round.kind] += 1
  }
}
