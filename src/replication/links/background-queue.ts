import type { PendingRequest } from './pending-request.ts'

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
   * Takes the oldest `countMax` requests that came at `sinceMs` or later. All that came earlier are too old:
   * `overdue`.
   */
  take(countMax: number, sinceMs: number): Readonly<{ taken: PendingRequest[]; overdue: PendingRequest[] }> {
    const fresh = this.#entries.findIndex((entry) => entry.sinceMs >= sinceMs)
    const overdue = this.#entries.splice(0, fresh === -1 ? this.#entries.length : fresh)
    return { taken: this.#entries.splice(0, countMax).map(pendingOf), overdue: overdue.map(pendingOf) }
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
