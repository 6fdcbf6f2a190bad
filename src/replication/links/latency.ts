/** Bounds of the hedge time, in milliseconds. */
export type HedgeBounds = Readonly<{ hedgeMsMin: number; hedgeMsMax: number }>

/**
 * The usual latency of a node, and the hedge time: how long an answer may take before the node is suspect.
 * Mean and deviation are smoothed as in the retransmission timer of TCP (Jacobson 1988; RFC 6298 §2).
 */
export class Latency {
  readonly #bounds: HedgeBounds
  #meanMs: number | undefined
  #deviationMs = 0

  constructor(bounds: HedgeBounds) {
    this.#bounds = bounds
  }

  /**
   * Adds the time that an answer took. A time far above the hedge time counts as twice the hedge time, and
   * the first one as the upper bound at most. Otherwise a node that was away, and answers its first batch
   * after seconds, would be waited for up to the bound for many batches. A node that stays slow is known as
   * such after a few answers.
   */
  observe(timeMs: number): void {
    if (this.#meanMs === undefined) {
      this.#meanMs = Math.min(timeMs, this.#bounds.hedgeMsMax)
      this.#deviationMs = this.#meanMs / 2
      return
    }
    const latencyMs = Math.min(timeMs, 2 * this.hedgeMs)
    this.#deviationMs += (Math.abs(latencyMs - this.#meanMs) - this.#deviationMs) / 4
    this.#meanMs += (latencyMs - this.#meanMs) / 8
  }

  /** The hedge time. Before the first answer it is the upper bound. */
  get hedgeMs(): number {
    const { hedgeMsMin, hedgeMsMax } = this.#bounds
    if (this.#meanMs === undefined) return hedgeMsMax
    return Math.min(hedgeMsMax, Math.max(hedgeMsMin, this.#meanMs + 4 * this.#deviationMs))
  }
}
