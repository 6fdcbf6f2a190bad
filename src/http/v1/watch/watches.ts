import type { Changes } from '../../../engines/engine.ts'
import type { Registry } from '../../../group/registry.ts'
import type { Metrics } from '../../../metrics/metrics.ts'
import { systemClock } from '../../../process/clock.ts'
import { FairRoom } from '../../admission/fair-room.ts'
import { WatchHub } from './watch-hub.ts'
import type { WatchStream } from './watch-stream.ts'
import type { Watcher } from './watcher.ts'

/** How many clients may watch one connector at a time. One caller may have half of what the others leave. */
const WATCHES_MAX = 10_000

/**
 * A watch ends after this time, so that the credentials of its client are checked again. The client goes on
 * with its place.
 */
const WATCH_MS_MAX = 15 * 60_000

/** The watches of one connector that are open. */
export class Watches {
  readonly hub: WatchHub
  readonly #open = new Set<WatchStream>()
  readonly #room = new FairRoom(WATCHES_MAX)
  #tooSlowCount = 0
  #isClosed = false

  constructor(changes: Changes, registry: Pick<Registry, 'scan'>) {
    this.hub = new WatchHub({ changes, registry, clock: systemClock })
  }

  /** Makes room for a watch; `undefined`: there is none for this caller. Pass it to `open`. */
  enter(caller: string): (() => void) | undefined {
    return this.#room.enter(caller, 1)
  }

  /** Notes a watch until its stream is closed. `leave` gives its room back. */
  open(stream: WatchStream, watcher: Watcher, leave: () => void): void {
    this.#open.add(stream)
    const timer = setTimeout(() => stream.end(), WATCH_MS_MAX).unref()
    stream.once('close', () => {
      clearTimeout(timer)
      leave()
      this.#open.delete(stream)
      watcher.close()
      if (this.#isClosed && this.#open.size === 0) this.hub.close()
    })
    if (this.#isClosed) stream.end()
  }

  countTooSlow(): void {
    this.#tooSlowCount += 1
  }

  /** Ends all watches: their clients go on elsewhere. A watch that begins later ends at once. */
  close(): void {
    this.#isClosed = true
    for (const stream of this.#open) stream.end()
    if (this.#open.size === 0) this.hub.close()
  }

  /** Adds the metrics of watches. */
  addMetrics(metrics: Metrics): void {
    metrics.gauge({ name: 'cohort_watches', help: 'Clients that watch groups.' }, () => [
      { value: this.#open.size },
    ])
    metrics.counter(
      {
        name: 'cohort_watch_events_total',
        help: 'Changes sent to clients that watch, each for every client.',
      },
      () => [{ value: this.hub.eventCount }],
    )
    metrics.counter(
      { name: 'cohort_watches_too_slow_total', help: 'Watches ended because their clients did not read.' },
      () => [{ value: this.#tooSlowCount }],
    )
  }
}
