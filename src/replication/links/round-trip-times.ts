import { BucketCounts, SECONDS_BOUNDS } from '../../metrics/bucket-counts.ts'

/**
 * How many of the last round trips are kept. A node without requests still gets two heartbeats a second.
 */
const KEPT = 256

/**
 * The round trips of one link: the last ones, for percentiles of the present, and a histogram of all.
 */
export class RoundTripTimes {
  /** In seconds, since the link was made. */
  readonly histogram = new BucketCounts(SECONDS_BOUNDS)
  readonly #timesMs = new Float64Array(KEPT)
  #count = 0

  observe(timeMs: number): void {
    this.#timesMs[this.#count % KEPT] = timeMs
    this.#count += 1
    this.histogram.observe(timeMs / 1_000)
  }

  /** `undefined` before the first round trip. */
  percentiles(): Readonly<{ p50: number; p99: number }> | undefined {
    if (this.#count === 0) return undefined
    const sorted = this.#timesMs.slice(0, Math.min(this.#count, KEPT)).sort()
    const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1]!
    return { p50: at(0.5), p99: at(0.99) }
  }
}
