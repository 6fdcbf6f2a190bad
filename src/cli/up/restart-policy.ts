/** When a process that ended is started again: soon, unless it keeps ending right after its start. */

/** What to do about one end. */
export type Restart = Readonly<{
  delayMs: number
  /** How many times in a row, this one included, it ended soon after its start; 0: it had run for a while. */
  quickEnds: number
}>

/** A process that ran for this long had started well. */
const STEADY_MS = 10_000
const DELAY_MS_MIN = 200
const DELAY_MS_MAX = 30_000

export class RestartPolicy {
  #quickEnds = 0

  /** `livedMs`: from its start to its end. */
  onEnd(livedMs: number): Restart {
    this.#quickEnds = livedMs < STEADY_MS ? this.#quickEnds + 1 : 0
    const doublings = Math.max(0, this.#quickEnds - 1)
    return { delayMs: Math.min(DELAY_MS_MAX, DELAY_MS_MIN * 2 ** doublings), quickEnds: this.#quickEnds }
  }
}
