/** What a connector counts, in plain numbers, where it happens. connector-metrics.ts shows them. */

import { BucketCounts, SIZE_BOUNDS } from '../metrics/bucket-counts.ts'
import { isFastBallot } from '../register/ballot.ts'
import type { Request } from '../register/messages.ts'
import type { Outcome } from '../register/operation.ts'

/**
 * What a round is (protocol.md §4): `fast` and `led` accept at once, at a shared ballot or at one of this connector's
 * own; `classic` prepares first; `read` writes nothing.
 */
export type RoundKind = 'fast' | 'led' | 'classic' | 'read'

export class Counters {
  /** Rounds that were begun. */
  readonly rounds: Record<RoundKind, number> = { fast: 0, led: 0, classic: 0, read: 0 }
  /** Those of them that at least one node refused. */
  readonly refusedRounds: Record<RoundKind, number> = { fast: 0, led: 0, classic: 0, read: 0 }
  readonly operations: Record<Outcome['kind'], number> = { decided: 0, not_applied: 0, unknown: 0 }
  /** Waits before a round is tried again. */
  backoffs = 0
  /** Requests in one batch to one node; heartbeats are not counted. */
  readonly batchSizes = new BucketCounts(SIZE_BOUNDS)
}

/**
 * The rounds of one key, as they are seen from the requests that leave: what the proposer does for itself need not be
 * known. Requests of one round carry one token.
 */
export class RoundWatch {
  readonly #counters: Counters
  #token = 0
  #kind: RoundKind | undefined
  #isRefused = false
  /** The ballot's round that was last prepared: an accept there belongs to the same round. */
  #preparedRound = 0

  constructor(counters: Counters) {
    this.#counters = counters
  }

  /** A request leaves. */
  sent(token: number, request: Request): void {
    if (token === this.#token) return
    switch (request.kind) {
      case 'read':
        return this.#begin(token, 'read')
      case 'prepare':
        this.#preparedRound = request.ballot.round
        return this.#begin(token, 'classic')
      case 'accept':
        if (isFastBallot(request.ballot)) return this.#begin(token, 'fast')
        if (request.ballot.round !== this.#preparedRound) return this.#begin(token, 'led')
        this.#token = token
        return
      default:
      // Learns and marks spread what a round has come to; they begin none.
    }
  }

  /** An answer arrives. */
  answered(token: number, isOk: boolean): void {
    if (isOk || this.#isRefused || token !== this.#token || this.#kind === undefined) return
    this.#isRefused = true
    this.#counters.refusedRounds[this.#kind] += 1
  }

  #begin(token: number, kind: RoundKind): void {
    this.#token = token
    this.#kind = kind
    this.#isRefused = false
    this.#counters.rounds[kind] += 1
  }
}
