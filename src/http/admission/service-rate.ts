/** The shortest time over which completions are counted, in milliseconds. */
const WINDOW_MS = 250
/** How fast older counts are forgotten, in milliseconds. */
const MEMORY_MS = 1_000

/**
 * How many requests are completed in a millisecond while others wait. A pause of a few hundred milliseconds,
 * as when a node dies, changes it little.
 */
export class ServiceRate {
  #perMs: number | undefined
  #sinceMs = 0
  #count = 0

  /**
   * Completions in a millisecond. `undefined`: requests have not waited for long enough to measure it.
   */
  get perMs(): number | undefined {
    return this.#perMs
  }

  /** Requests begin to wait. What was measured before counts no more: the surroundings may have changed. */
  begin(nowMs: number): void {
    this.#perMs = undefined
    this.#sinceMs = nowMs
    this.#count = 0
  }

  /** `completed`: how many requests have been completed since the last call. Requests wait. */
  observe(nowMs: number, completed: number): void {
    this.#count += completed
    const elapsedMs = nowMs - this.#sinceMs
    if (elapsedMs < WINDOW_MS) return
    const measured = this.#count / elapsedMs
    const weight = this.#perMs === undefined ? 1 : 1 - Math.exp(-elapsedMs / MEMORY_MS)
    this.#perMs = (this.#perMs ?? 0) * (1 - weight) + measured * weight
    this.#sinceMs = nowMs
    this.#count = 0
  }
}
