import { type Clock, sleep } from '../../process/clock.ts'

/** What was not used of the last so many milliseconds may be used at once. */
const BURST_MS = 20

/** Spreads things over time: lets so many of them begin in a second, and no more. */
export class Pace {
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>
  readonly #everyMs: number
  /** When the next one would be due if all before had begun in time. */
  #dueMs = Number.NEGATIVE_INFINITY

  constructor(perSecondMax: number, clock: Pick<Clock, 'nowMs' | 'after'>) {
    this.#clock = clock
    this.#everyMs = 1_000 / perSecondMax
  }

  /** Waits until the next one may begin. For one caller at a time. */
  async take(): Promise<void> {
    const nowMs = this.#clock.nowMs()
    const dueMs = Math.max(this.#dueMs, nowMs - BURST_MS)
    this.#dueMs = dueMs + this.#everyMs
    if (dueMs > nowMs) await sleep(dueMs - nowMs, this.#clock)
  }
}
