/** Checks the pages of the database again and again, and tells the operator what is wrong. */
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'

export type PageScrubOptions = Readonly<{
  /** The first problems of the pages; `undefined`: the check was aborted. May reject. */
  check: (signal: AbortSignal) => Promise<readonly string[] | undefined>
  clock: Pick<Clock, 'nowMs'>
  logger: Pick<Logger, 'error' | 'warn'>
}>

/** The shortest time between the beginnings of two checks. */
const PERIOD_MS_MIN = 60_000

export class PageScrub {
  readonly #options: PageScrubOptions
  readonly #end = new AbortController()
  #running: Promise<void> | undefined
  #lastMs = Number.NEGATIVE_INFINITY
  /** Whether the last check that ended has found a problem. */
  isDamaged = false

  constructor(options: PageScrubOptions) {
    this.#options = options
  }

  /** Starts a check, unless it is closed, or one runs or began less than a minute ago. */
  start(): void {
    const nowMs = this.#options.clock.nowMs()
    if (this.#end.signal.aborted) return
    if (this.#running !== undefined || nowMs - this.#lastMs < PERIOD_MS_MIN) return
    this.#lastMs = nowMs
    this.#running = this.#check().finally(() => {
      this.#running = undefined
    })
  }

  /** Aborts a check that runs, and waits until it has released the database. May be called again. */
  async close(): Promise<void> {
    this.#end.abort()
    await this.#running
  }

  async #check(): Promise<void> {
    const { check, logger } = this.#options
    try {
      const problems = await check(this.#end.signal)
      if (problems === undefined) return
      this.isDamaged = problems.length > 0
      if (!this.isDamaged) return
      logger.error(
        { problems },
        'the disk has spoiled pages of the database. No wrong answer comes of it, because each record has its ' +
          'checksum, but records may be lost: replace this node by one with an empty data directory',
      )
    } catch (err) {
      logger.warn({ err }, 'the pages of the database could not be checked')
    }
  }
}
