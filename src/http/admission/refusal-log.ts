import type { Logger } from 'pino'
import type { Clock } from '../../process/clock.ts'

/** Refusals have ended when there was none for this long. So two lines of one kind are this far apart. */
const QUIET_MS = 10_000

type Episode = { readonly sinceMs: number; lastMs: number; count: number; cancel: () => void }

/** Says in the log when requests begin to be refused, and when that has ended: two lines at `warn`. */
export class RefusalLog {
  readonly #logger: Logger
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>
  readonly #episodes = new Map<string, Episode>()

  constructor(logger: Logger, clock: Pick<Clock, 'nowMs' | 'after'>) {
    this.#logger = logger
    this.#clock = clock
  }

  /** Call it for each refused request. `figures` are shown with the first one. */
  refused(kind: string, figures: () => object): void {
    const nowMs = this.#clock.nowMs()
    const known = this.#episodes.get(kind)
    if (known !== undefined) {
      known.count += 1
      known.lastMs = nowMs
      return
    }
    const episode = { sinceMs: nowMs, lastMs: nowMs, count: 1, cancel: () => undefined }
    this.#episodes.set(kind, episode)
    this.#watch(kind, episode)
    this.#logger.warn({ requests: kind, ...figures() }, 'requests are refused: there are too many')
  }

  /** Forgets what has not ended. Nothing more is written. */
  close(): void {
    for (const { cancel } of this.#episodes.values()) cancel()
    this.#episodes.clear()
  }

  #watch(kind: string, episode: Episode): void {
    const quietMs = this.#clock.nowMs() - episode.lastMs
    episode.cancel = this.#clock.after(QUIET_MS - quietMs, () => {
      if (this.#clock.nowMs() - episode.lastMs < QUIET_MS) return this.#watch(kind, episode)
      this.#episodes.delete(kind)
      const seconds = Math.round((episode.lastMs - episode.sinceMs) / 100) / 10
      this.#logger.warn({ requests: kind, refused: episode.count, seconds }, 'requests are no longer refused')
    })
  }
}
