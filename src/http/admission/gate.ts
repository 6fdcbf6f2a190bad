import type { Clock } from '../../process/clock.ts'
import { FairQueue, type Place } from './fair-queue.ts'
import { ServiceRate } from './service-rate.ts'

export type GateLimits = Readonly<{
  /** How many requests are worked on at a time. */
  runningMax: number
  /** How many requests wait at most. One caller may use half of the places that the others leave free. */
  waitingMax: number
  /** How long a request waits at most, in milliseconds. */
  waitMsMax: number
}>

export type GateOptions = GateLimits &
  Readonly<{
    clock: Pick<Clock, 'nowMs' | 'after'>
    /** Called with the time that a request has waited, in milliseconds, when its turn has come. */
    onWaited?: (waitedMs: number) => void
  }>

/** A request that must wait. Either `start` or `refuse` is called once. */
export type Visitor = Readonly<{
  caller: unknown
  connection: unknown
  start: () => void
  /** Its time is over. */
  refuse: () => void
  /** Whether its client has left, so that nobody waits for the answer. */
  isGone: () => boolean
}>

type Waiting = { readonly visitor: Visitor; readonly sinceMs: number; place: Place<Waiting> | undefined }

/** How often the requests that wait are searched for those whose time is over. */
const SWEEPS_PER_WAIT = 4

/**
 * Bounds the work of one kind. A few requests run at a time; the others wait for their turn (fair-queue.ts).
 * A request that would wait for too long, by the rate at which requests are completed at present, is refused
 * at once.
 */
export class Gate {
  readonly #options: GateOptions
  readonly #queue = new FairQueue<Waiting>()
  /** All that wait, oldest first. */
  readonly #oldestFirst = new Set<Waiting>()
  readonly #rate = new ServiceRate()
  #running = 0
  #isStarting = false
  #cancelSweep: (() => void) | undefined

  constructor(options: GateOptions) {
    this.#options = options
  }

  get running(): number {
    return this.#running
  }

  get waiting(): number {
    return this.#queue.length
  }

  /** Starts a request now if nothing waits and there is room. Call `leave` when it is done. */
  enter(): boolean {
    if (this.#running >= this.#options.runningMax || this.#queue.length > 0) return false
    this.#running += 1
    return true
  }

  /** Whether a request of this connection could wait now, and its turn would come in time. */
  mayWait(caller: unknown, connection: unknown): boolean {
    return this.#hasRoomFor(caller) && this.#expectedMs(caller, connection) <= this.#options.waitMsMax
  }

  /** Lets a request wait that could not enter. `false`: it would wait for too long, and is refused. */
  wait(visitor: Visitor): boolean {
    const nowMs = this.#options.clock.nowMs()
    if (this.#queue.length === 0) this.#rate.begin(nowMs)
    else this.#rate.observe(nowMs, 0)
    if (!this.mayWait(visitor.caller, visitor.connection)) return false
    const waiting: Waiting = { visitor, sinceMs: nowMs, place: undefined }
    waiting.place = this.#queue.push(visitor.caller, visitor.connection, waiting)
    this.#oldestFirst.add(waiting)
    this.#scheduleSweep()
    return true
  }

  /** A request that was started is done. */
  leave(): void {
    this.#running -= 1
    if (this.#queue.length === 0) return
    this.#rate.observe(this.#options.clock.nowMs(), 1)
    this.#startWaiting()
  }

  /** Refuses all that wait. */
  close(): void {
    this.#cancelSweep?.()
    for (const waiting of this.#oldestFirst) this.#refuse(waiting)
  }

  /**
   * One caller cannot take all places: it may have as many as are still free (a dynamic threshold, as in
   * shared buffers of switches).
   */
  #hasRoomFor(caller: unknown): boolean {
    return this.#queue.lengthOf(caller) < this.#options.waitingMax - this.#queue.length
  }

  #expectedMs(caller: unknown, connection: unknown): number {
    const { perMs } = this.#rate
    return perMs === undefined ? 0 : this.#queue.aheadOf(caller, connection) / perMs
  }

  #startWaiting(): void {
    // A request that ends while it is started calls `leave`: this loop then takes the next one.
    if (this.#isStarting) return
    this.#isStarting = true
    while (this.#running < this.#options.runningMax) {
      const next = this.#queue.take()
      if (next === undefined) break
      this.#oldestFirst.delete(next)
      const { visitor, sinceMs } = next
      if (visitor.isGone()) visitor.refuse()
      else {
        this.#running += 1
        this.#options.onWaited?.(this.#options.clock.nowMs() - sinceMs)
        visitor.start()
      }
    }
    this.#isStarting = false
    if (this.#queue.length === 0) this.#cancelSweep?.()
  }

  #scheduleSweep(): void {
    if (this.#cancelSweep !== undefined) return
    const { clock, waitMsMax } = this.#options
    const cancel = clock.after(waitMsMax / SWEEPS_PER_WAIT, () => {
      this.#cancelSweep = undefined
      this.#refuseOverdue(clock.nowMs() - waitMsMax)
      if (this.#queue.length > 0) this.#scheduleSweep()
    })
    this.#cancelSweep = () => {
      this.#cancelSweep = undefined
      cancel()
    }
  }

  #refuseOverdue(sinceMs: number): void {
    for (const waiting of this.#oldestFirst) {
      if (waiting.sinceMs > sinceMs) return
      this.#refuse(waiting)
    }
  }

  #refuse(waiting: Waiting): void {
    this.#oldestFirst.delete(waiting)
    this.#queue.remove(waiting.place!)
    waiting.visitor.refuse()
  }
}
