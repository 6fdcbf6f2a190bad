import { fitting, type PendingRequest, sizeOf } from './pending-request.ts'

type Entry = Readonly<{ pending: PendingRequest; sinceMs: number }>

/** Background requests that wait for a batch, oldest first. */
export class BackgroundQueue {
  #entries: Entry[] = []

  get length(): number {
    return this.#entries.length
  }

  push(pending: PendingRequest, nowMs: number): void {
    this.#entries.push({ pending, sinceMs: nowMs })
  }

  /**
   * Takes the oldest requests that came at `sinceMs` or later: as many as `limits` allow, but at least one.
   * All that came earlier are too old: `overdue`.
   */
  take(
    limits: Readonly<{ countMax: number; bytesMax: number }>,
    sinceMs: number,
  ): Readonly<{ taken: PendingRequest[]; overdue: PendingRequest[] }> {
    const fresh = this.#entries.findIndex((entry) => entry.sinceMs >= sinceMs)
    const overdue = this.#entries.splice(0, fresh === -1 ? this.#entries.length : fresh)
    const { count } = fitting(this.#entries, limits, ({ pending }) => sizeOf(pending))
    return { taken: this.#entries.splice(0, count).map(pendingOf), overdue: overdue.map(pendingOf) }
  }

  takeAll(): PendingRequest[] {
    const entries = this.#entries
    this.#entries = []
    return entries.map(pendingOf)
  }
}

function pendingOf({ pending }: Entry): PendingRequest {
  return pending
}
