import type { Answer, Request } from '../../register/messages.ts'

/** A request on its way, and who waits for its answer. */
export type Errand = Readonly<{
  key: string
  request: Request
  onAnswer: (answer: Answer) => void
  /** The node may or may not have acted on the request: the stream ended first, or it waited here for too long. */
  onLost: () => void
  /**
   * No client waits for it: it rides along with what clients have asked for, a few in each batch, and travels alone only
   * when nothing else is in flight.
   */
  isBackground?: boolean
}>

/** Background errands that wait for a batch to ride along with, oldest first. */
export class BackgroundQueue {
  #entries: { readonly errand: Errand; readonly sinceMs: number }[] = []

  get length(): number {
    return this.#entries.length
  }

  push(errand: Errand, nowMs: number): void {
    this.#entries.push({ errand, sinceMs: nowMs })
  }

  /** The oldest errands. Those that came before `sinceMs` are too old to be sent: they go to `overdue`. */
  take(countMax: number, sinceMs: number): Readonly<{ errands: Errand[]; overdue: Errand[] }> {
    const fresh = this.#entries.findIndex((entry) => entry.sinceMs >= sinceMs)
    const overdue = this.#entries.splice(0, fresh === -1 ? this.#entries.length : fresh)
    const taken = this.#entries.splice(0, countMax)
    return { errands: taken.map(errandOf), overdue: overdue.map(errandOf) }
  }

  takeAll(): Errand[] {
    const entries = this.#entries
    this.#entries = []
    return entries.map(errandOf)
  }
}

function errandOf({ errand }: Readonly<{ errand: Errand }>): Errand {
  return errand
}
