/** Latencies of many requests, in milliseconds. */
export class Latencies {
  readonly #ms: number[] = []

  add(ms: number): void {
    this.#ms.push(ms)
  }

  get count(): number {
    return this.#ms.length
  }

  /**
   * The percentiles of these ranks (0 to 100), by nearest rank, so each is a measured latency. `undefined`:
   * nothing was measured.
   */
  percentiles<const P extends readonly number[]>(ranks: P): { [I in keyof P]: number | undefined } {
    const sorted = Float64Array.from(this.#ms).sort()
    return ranks.map((rank) => sorted[Math.max(0, Math.ceil((rank / 100) * sorted.length) - 1)]) as {
      [I in keyof P]: number | undefined
    }
  }
}
