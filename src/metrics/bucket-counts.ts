/**
 * A histogram as plain numbers: observing is a short search and two additions, so that it may stand where
 * every request passes. Prometheus's shape is made of it when it is asked for (metrics.ts).
 */
export class BucketCounts {
  /** Upper bounds, inclusive, rising; above the last one there is one more bucket. */
  readonly bounds: readonly number[]
  /** One more than bounds; each observation is in one of them. */
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

/** Bounds for times in seconds: a disk or a node in the same rack on the left, a timeout on the right. */
export const SECONDS_BOUNDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]

/** Bounds for how many requests travel or are handled together. */
export const SIZE_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256]
