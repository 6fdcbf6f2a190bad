import type { Clock } from './clock.ts'

/** After a report about a subject, further reports about it are only counted for this time. */
const QUIET_MS = 60_000

/** How many subjects may be reported in that time. */
const SUBJECTS_MAX = 64

/**
 * Keeps repeated events from filling the log. A subject is reported at once, and then at most once a minute,
 * with the number of reports that were left out. At most `SUBJECTS_MAX` subjects are reported in a minute.
 */
export class RepeatedReports {
  readonly #clock: Pick<Clock, 'nowMs'>
  /** The oldest report comes first. */
  readonly #reported = new Map<string, { readonly atMs: number; leftOut: number }>()

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock
  }

  /**
   * Calls `write` now with the number of reports about this subject that were left out, or does not call it.
   */
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
