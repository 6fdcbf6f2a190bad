/** What a connector counts, in plain numbers, where it happens. `engine-metrics.ts` shows them to Prometheus. */
import { BucketCounts, SIZE_BOUNDS } from '../metrics/bucket-counts.ts'
import type { Outcome } from '../register/operation.ts'
import type { RoundKind } from '../register/round.ts'

export class Counters {
  /** Rounds that have begun. */
  readonly rounds: Record<RoundKind, number> = { fast: 0, led: 0, classic: 0, read: 0 }
  /** Rounds that at least one node refused. */
  readonly refusedRounds: Record<RoundKind, number> = { fast: 0, led: 0, classic: 0, read: 0 }
  readonly operations: Record<Outcome['kind'], number> = { decided: 0, not_applied: 0, unknown: 0 }
  /** Waits before a round is tried again. */
  backoffs = 0
  /** Requests in one batch to one node; heartbeats are not counted. */
  readonly batchSizes = new BucketCounts(SIZE_BOUNDS)
}
