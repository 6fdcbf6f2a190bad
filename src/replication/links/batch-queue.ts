/** The requests that wait to be sent to one node. It makes the batches. */
import type { Clock } from '../../process/clock.ts'
import { BackgroundQueue } from './background-queue.ts'
import type { LinkLimits } from './link-limits.ts'
import { countAwaited, fitting, type PendingRequest, sizeOf } from './pending-request.ts'

/**
 * The requests of a batch. `overdue`: background requests that have waited too long and must not be sent.
 */
export type TakenBatch = Readonly<{ requests: readonly PendingRequest[]; overdue: readonly PendingRequest[] }>

const NONE: readonly PendingRequest[] = []

export class BatchQueue {
  readonly #limits: LinkLimits
  readonly #clock: Pick<Clock, 'nowMs'>
  /** Requests of clients, and marks. */
  #waiting: PendingRequest[] = []
  readonly #background = new BackgroundQueue()
  #waitingBytes = 0
  #awaitedCount = 0
  /** How many requests of `#waiting` were taken since the stream began. */
  #takenCount = 0
  /** When `#takenCount` reaches `untilCount`, all requests that waited at `sinceMs` have been taken. */
  #backlog: Readonly<{ untilCount: number; sinceMs: number }> | undefined

  constructor(limits: LinkLimits, clock: Pick<Clock, 'nowMs'>) {
    this.#limits = limits
    this.#clock = clock
  }

  /** How many requests of clients and marks wait. */
  get length(): number {
    return this.#waiting.length
  }

  /** How many background requests wait. */
  get backgroundLength(): number {
    return this.#background.length
  }

  /** About how many bytes wait, background requests included. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** How many waiting requests get an answer that a client waits for. */
  get awaitedCount(): number {
    return this.#awaitedCount
  }

  /** `false`: too many bytes wait already, and the request was not taken. */
  push(pending: PendingRequest): boolean {
    const bytes = sizeOf(pending)
    if (this.#waitingBytes + bytes > this.#limits.waitingBytesMax) return false
    this.#waitingBytes += bytes
    if (pending.isBackground) this.#background.push(pending, this.#clock.nowMs())
    else {
      this.#waiting.push(pending)
      if (pending.request.kind !== 'mark') this.#awaitedCount += 1
    }
    return true
  }

  /**
   * Takes the next batch: requests of clients and marks first, then background requests. These are few while
   * a client waits, for an answer of this batch or of the next.
   */
  takeBatch(): TakenBatch {
    const { requestsPerBatchMax, batchBytesMax } = this.#limits
    const limits = { countMax: requestsPerBatchMax, bytesMax: batchBytesMax }
    const { count, bytes } = fitting(this.#waiting, limits, sizeOf)
    const requests = this.#waiting.splice(0, count)
    this.#waitingBytes -= bytes
    this.#takenCount += count
    const isAwaited = this.#awaitedCount > 0
    this.#awaitedCount -= countAwaited(requests)
    if (this.#background.length === 0) return { requests, overdue: NONE }
    const { taken, overdue } = this.#takeBackground(isAwaited)
    return { requests: [...requests, ...taken], overdue }
  }

  /** Empties the queue, for the next stream. */
  takeAll(): readonly PendingRequest[] {
    const all = [...this.#waiting, ...this.#background.takeAll()]
    this.#waiting = []
    this.#waitingBytes = 0
    this.#awaitedCount = 0
    this.#takenCount = 0
    this.#backlog = undefined
    return all
  }

  /**
   * Whether a request that waited at an earlier call has now waited for as long as a batch may take. Requests
   * are taken in order: when as many have been taken as waited then, none of those waits any more.
   */
  isStuck(): boolean {
    const nowMs = this.#clock.nowMs()
    const backlog = this.#backlog
    if (backlog !== undefined && this.#takenCount < backlog.untilCount) {
      return nowMs - backlog.sinceMs >= this.#limits.batchTimeoutMs
    }
    const { length } = this.#waiting
    this.#backlog = length === 0 ? undefined : { untilCount: this.#takenCount + length, sinceMs: nowMs }
    return false
  }

  #takeBackground(isAwaited: boolean): ReturnType<BackgroundQueue['take']> {
    const { backgroundPerBatchMax, backgroundAloneMax, backgroundBytesMax, batchTimeoutMs } = this.#limits
    const { taken, overdue } = this.#background.take(
      { countMax: isAwaited ? backgroundPerBatchMax : backgroundAloneMax, bytesMax: backgroundBytesMax },
      this.#clock.nowMs() - batchTimeoutMs,
    )
    for (const pending of taken) this.#waitingBytes -= sizeOf(pending)
    for (const pending of overdue) this.#waitingBytes -= sizeOf(pending)
    return { taken, overdue }
  }
}
