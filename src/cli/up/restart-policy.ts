/** When a process that has ended is started again: soon, or later if it often ends right after its start. */

/** What to do after a process has ended. */
export type Restart = Readonly<{
  delayMs: number
  /** How many times in a row it has ended soon after its start, this time included; 0: it ran for a while. */
  quickEnds: number
}>

/** A process that ran for at least this long has not ended soon after its start. */
const STEADY_MS = 10_000
const DELAY_MS_MIN = 200
const DELAY_MS_MAX = 30_000

export class RestartPolicy {
  #quickEnds = 0

  /** `livedMs`: the time from the start of the process to its end. */
  onEnd(livedMs: number): Restart {
    this.#quickEnds = livedMs < STEADY_MS ? this.#quickEnds + 1 : 0
    const doublings = Math.max(0, this.#quickEnds - 1)
    return { delayMs: Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** doublings), quickEnds: this.#quickEnds }
  }
}
