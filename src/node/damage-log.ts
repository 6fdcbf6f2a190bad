import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import type { Damages } from './damages.ts'

/** The time between two lines, because a dying disk causes many damages. */
const QUIET_MS = 10_000

/** Says in the log which records are damaged: the first at once, then one line for all of some seconds. */
export class DamageLog {
  readonly #logger: Pick<Logger, 'error'>
  readonly #clock: Pick<Clock, 'nowMs'>
  #quietUntilMs = Number.NEGATIVE_INFINITY
  #leftOut = 0

  constructor(logger: Pick<Logger, 'error'>, clock: Pick<Clock, 'nowMs'>) {
    this.#logger = logger
    this.#clock = clock
  }

  /** A damage was found, one of `damages`. */
  found(key: string, reason: string, { count }: Pick<Damages, 'count'>): void {
    const nowMs = this.#clock.nowMs()
    if (nowMs < this.#quietUntilMs) {
      this.#leftOut += 1
      return
    }
    this.#logger.error(
      { key, reason, damaged: count, leftOut: this.#leftOut },
      'the disk has spoiled a record: it has no vote until it has healed from the other nodes. If this goes on, the disk ' +
        'is dying: replace this node',
    )
    this.#quietUntilMs = nowMs + QUIET_MS
    this.#leftOut = 0
  }
}
