/** The arithmetic of benchmarks: medians, ratios with their spread, percentiles, gaps. Pure. */

/** The median; of an even number, the mean of the two in the middle. `NaN` of none. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  if (Number.isInteger(middle))
    return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2
  return sorted[Math.floor(middle)] ?? Number.NaN
}

/** A ratio of two sides that were measured in the same rounds, and the lowest and the highest of a round. */
export type Ratio = Readonly<{ median: number; lowest: number; highest: number }>

/**
 * The ratio of each round, `ours` to `theirs`, and not of two medians: what disturbed one round disturbed
 * both sides of it. Rounds in which a side has nothing to compare (`NaN`, or 0 in `theirs`) do not count;
 * `undefined` if none is left.
 */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio | undefined {
  const ratios = ours
    .map((our, round) => our / (theirs[round] ?? Number.NaN))
    .filter((ratio) => Number.isFinite(ratio))
  if (ratios.length === 0) return undefined
  return { median: median(ratios), lowest: Math.min(...ratios), highest: Math.max(...ratios) }
}

/** `2.05 (1.58 to 2.08)`: the median, and the lowest and the highest round. Empty without any. */
export function formatRatio(value: Ratio | undefined): string {
  if (value === undefined) return ''
  return `${value.median.toFixed(2)} (${value.lowest.toFixed(2)} to ${value.highest.toFixed(2)})`
}

/**
 * The smallest latency that at least this share of all is not above (nearest rank).
 *
 * @param sorted ascending
 * @param share 0 to 1
 */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!
}

/** Shares at which a latency histogram is shown: evenly spaced in the number of nines. */
export const SHARES = [0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999] as const

/** Latencies by share, in milliseconds; shares of which there are too few requests to tell are left out. */
export type Histogram = Readonly<{
  count: number
  points: readonly Readonly<{ share: number; ms: number }>[]
}>

export function histogramOf(latenciesMs: readonly number[]): Histogram {
  const sorted = latenciesMs.toSorted((a, b) => a - b)
  const points = SHARES.filter((share) => sorted.length * (1 - share) >= 1 - 1e-9).map((share) => ({
    share,
    ms: percentile(sorted, share),
  }))
  return { count: sorted.length, points }
}

/**
 * The longest time without a success, between `fromMs` and `toMs`, both ends included: a side that never
 * comes back has a gap that lasts to the end.
 *
 * @param timesMs when the successes were, ascending
 */
export function longestGapMs(timesMs: readonly number[], fromMs: number, toMs: number): number {
  const inside = timesMs.filter((time) => time >= fromMs && time <= toMs)
  const marks = [fromMs, ...inside, toMs]
  return marks.slice(1).reduce((longest, time, index) => Math.max(longest, time - marks[index]!), 0)
}

/**
 * When each request of an open loop is due, in milliseconds from the start: arrivals at random moments (a
 * Poisson process), as pgbench makes them, whatever becomes of the requests before.
 *
 * @param random numbers from 0 to below 1
 */
export function* arrivals(perSecond: number, seconds: number, random: () => number): Generator<number> {
  let dueMs = 0
  while (true) {
    dueMs += (-Math.log(1 - random()) * 1_000) / perSecond
    if (dueMs >= seconds * 1_000) return
    yield dueMs
  }
}
