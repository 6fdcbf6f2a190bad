import { LRUCache } from 'lru-cache'

/** How many callers are remembered: the most recent ones. */
const CALLERS_MAX = 65_536
/** The time over which a caller may spread its requests, in milliseconds. */
const WINDOW_MS = 1_000

export type RateLimiterOptions = Readonly<{
  /** Requests in a second. A caller may send that many at once after a second of silence. */
  perSecond: number
  /** Milliseconds since some moment; never goes back. */
  nowMs: () => number
}>

/** What is left for a caller after a request. `resetSeconds`: when everything is left again. */
export type Quota = Readonly<{ remaining: number; resetSeconds: number }>

/** A request was allowed, or may be sent again after some seconds. */
export type RateVerdict = Quota & Readonly<{ retryAfterSeconds: number | undefined }>

/**
 * Limits how often each caller sends a request: the generic cell rate algorithm, which needs one number for a
 * caller. A refused request costs the caller nothing.
 */
export class RateLimiter {
  readonly perSecond: number
  readonly #nowMs: () => number
  readonly #costMs: number
  /** For each caller: when all its requests so far are paid for, if each costs a part of the window. */
  readonly #paidAtMs = new LRUCache<string, number>({ max: CALLERS_MAX })

  constructor({ perSecond, nowMs }: RateLimiterOptions) {
    this.perSecond = perSecond
    this.#nowMs = nowMs
    this.#costMs = WINDOW_MS / perSecond
  }

  /** Counts a request of this caller, or refuses it. */
  take(caller: string): RateVerdict {
    const nowMs = this.#nowMs()
    const owedMs = Math.max(0, (this.#paidAtMs.get(caller) ?? 0) - nowMs)
    const excessMs = owedMs + this.#costMs - WINDOW_MS
    // A little more than nothing is a rounding error.
    if (excessMs > 1e-6) {
      return { ...this.#quotaOf(owedMs), retryAfterSeconds: Math.max(1, Math.ceil(excessMs / 1_000)) }
    }
    this.#paidAtMs.set(caller, nowMs + owedMs + this.#costMs)
    return { ...this.#quotaOf(owedMs + this.#costMs), retryAfterSeconds: undefined }
  }

  #quotaOf(owedMs: number): Quota {
    return {
      remaining: Math.max(0, Math.floor((WINDOW_MS - owedMs) / this.#costMs + 1e-6)),
      resetSeconds: Math.ceil(owedMs / 1_000),
    }
  }
}
