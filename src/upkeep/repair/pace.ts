import { type Clock, sleep } from '../../process/clock.ts'

/** Starts that were not used in the last milliseconds of this length may be used at once. */
const BURST_MS = 20

/** Limits how many things begin in a second, and spreads them over the second. */
export class Pace {
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>
  readonly #everyMs: number
  /** When the next thing may begin. */
  #dueMs = Number.NEGATIVE_INFINITY

  constructor(perSecondMax: number, clock: Pick<Clock, 'nowMs' | 'after'>) {
    this.#clock = clock
    this.#everyMs = 1_000 / perSecondMax
  }

  /** Waits until the next thing may begin. Only one caller may wait. */
  async take(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const dueMs = Math.max(this.#dueMs, nowMs - BURST_MS)
    this.#dueMs = dueMs + this.#everyMs
    if (dueMs > nowMs) await sleep(dueMs - nowMs, this.#clock)
  }
}
