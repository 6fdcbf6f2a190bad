import type { Clock } from '../../process/clock.ts'

/** Adds up the time that was spent waiting for promises, including those that reject. */
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
