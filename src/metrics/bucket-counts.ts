/**
 * A histogram as plain numbers. An observation costs a short search and two additions, so every request can
 * make one. The form that Prometheus reads is made only when it is asked for (metrics.ts).
 */
export class BucketCounts {
  /** The upper bounds of the buckets, inclusive and rising. One more bucket is above the last bound. */
  readonly bounds: readonly number[]
  /** The number of observations in each bucket, one entry more than `bounds`. */
  readonly counts: number[]
  sum = 0

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = Array(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const { bounds, counts } = this
    let index = 0
    while (index < bounds.length && value > bounds[index]!) index += 1
    counts[index]! += 1
    this.sum += value
  }

  get count(): number {
    return this.counts.reduce((total, count) => total + count, 0)
  }
}

/** Bounds for times in seconds, from a local disk or a node in the same rack up to a timeout. */
export const SECONDS_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/** Bounds for the number of requests that are sent or handled together. */
export const SIZE_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
