import type { Clock } from '../../process/clock.ts'

/** Adds up how long promises took that were waited for, whatever became of them. */
export class Stopwatch {
  readonly #clock: Pick<Clock, 'nowMs'>
  totalMs = 0

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  async time<T>(promise: Promise<T>): Promise<T> {
    const startMs = this.#clock.nowMs()
    try {
      return await promise
    } finally {
      this.totalMs += this.#clock.nowMs() - startMs
    }
  }
}
