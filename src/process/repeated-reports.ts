import type { Clock } from './clock.ts'

/** How long a subject is only counted after it was reported. */
const QUIET_MS = 60_000

/** How many subjects are reported in that time. */
const SUBJECTS_MAX = 64

/**
 * Keeps what happens again and again from filling the log: a subject is reported at once, and then at most
 * once a minute, with the number of times that were left out in between. No more than `SUBJECTS_MAX` subjects
 * are reported in a minute.
 */
export class RepeatedReports {
  readonly #clock: Pick<Clock, 'nowMs'>
  /** Oldest report first. */
  readonly #reported = new Map<string, { readonly atMs: number; leftOut: number }>()

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  /** `write` is called now, with how often this subject was left out before, or not at all. */
  report(subject: string, write: (leftOut: number) => void): void {
    const nowMs = this.#clock.nowMs()
    const known = this.#reported.get(subject)
    if (known !== undefined && nowMs - known.atMs < QUIET_MS) {
      known.leftOut += 1
      return
    }
    this.#reported.delete(subject)
    if (this.#reported.size >= SUBJECTS_MAX) {
      const [oldest, { atMs }] = this.#reported.entries().next().value!
      if (nowMs - atMs < QUIET_MS) return
      this.#reported.delete(oldest)
    }
    this.#reported.set(subject, { atMs: nowMs, leftOut: 0 })
    write(known?.leftOut ?? 0)
  }
}
