import type { RequestBatch } from '../rpc/messages.ts'

/**
 * The fastest batch of a stream is remembered for at least this long, and for at most twice as long. In that
 * time two clocks drift apart by too little to matter.
 */
const WINDOW_MS = 60_000

/**
 * Tells whether a node may still act on a batch. No message may live much longer than its operation
 * (protocol.md §6). But a socket keeps what was sent while a process is stopped or a network is cut, and the
 * sender cannot take it back.
 *
 * Arrival minus sending is the time that a batch took, plus a constant: the difference of two clocks. The
 * fastest batch of the stream shows that constant. That batch was not delayed, because the sender received
 * its answer in time.
 */
export class Freshness {
  /** The least difference between arrival and sending, in this window and in the window before. */
  #least = Number.POSITIVE_INFINITY
  #leastBefore = Number.POSITIVE_INFINITY
  #windowEndsMs = Number.NEGATIVE_INFINITY

  /** @param nowMs on the clock of this node, which never goes back */
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
