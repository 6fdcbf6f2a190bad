import type { RequestBatch } from '../rpc/messages.ts'

/** How long the fastest batch of a stream is remembered, at least: clocks run apart by less than that matters. */
const WINDOW_MS = 60_000

/**
 * Tells whether a batch may still be acted on. No message may outlive its operation by more than a little (protocol.md
 * §6), but a socket keeps what was sent for as long as its process is stopped or its network is cut, and the sender
 * cannot take it back. What a batch has taken is known up to a constant, the difference of two clocks; the fastest
 * batch of its stream shows that constant, and about that one the sender knows, for it was answered in time.
 */
export class Freshness {
  /** The least difference between arrival and sending in this window and in the one before. */
  #least = Number.POSITIVE_INFINITY
  #leastBefore = Number.POSITIVE_INFINITY
  #windowEndsMs = Number.NEGATIVE_INFINITY

  /** @param nowMs by this node's clock, which never goes back */
  isFresh({ sentMs, lifeMs }: Pick<RequestBatch, 'sentMs' | 'lifeMs'>, nowMs: number): boolean {
    if (lifeMs === 0) return true
    const difference = nowMs - sentMs
    const least = Math.min(difference, this.#least, this.#leastBefore)
    if (difference - least > lifeMs) return false
    if (nowMs >= this.#windowEndsMs) {
      this.#leastBefore = this.#least
      this.#least = Number.POSITIVE_INFINITY
      this.#windowEndsMs = nowMs + WINDOW_MS
    }
    this.#least = Math.min(this.#least, difference)
    return true
  }
}
