import type { Clock } from '../process/clock.ts'

type Entry<T> = { item: T | undefined; readonly endsAtMs: number }

/**
 * When operations end that all get the same time: the oldest is always the next, and one timer is enough for
 * all.
 */
export class Deadlines<T> {
  readonly #clock: Clock
  readonly #onOverdue: (item: T) => void
  #entries: Entry<T>[] = []
  /** The index of the oldest: those before it have ended. */
  #first = 0
  #cancelTimer: (() => void) | undefined

  /** `onOverdue` ends an operation whose time is over: it calls, at once, what `add` returned for it. */
  constructor(clock: Clock, onOverdue: (item: T) => void) {
    this.#clock = clock
    this.#onOverdue = onOverdue
  }

  /** How many have not ended. */
  get count(): number {
    return this.#all().length
  }

  /** Adds an operation, mostly the newest. Returns what to call when it has ended, once. */
  add(item: T, endsAtMs: number): () => void {
    const entry: Entry<T> = { item, endsAtMs }
    const { length } = this.#entries
    let at = length
    // What began in an older epoch ends before what has begun in this one.
    while (at > this.#first && this.#entries[at - 1]!.endsAtMs > endsAtMs) at -= 1
    if (at === length) this.#entries.push(entry)
    else this.#entries.splice(at, 0, entry)
    if (at === this.#first) this.#cancel()
    this.#watch()
    return () => {
      entry.item = undefined
      this.#skipEnded()
    }
  }

  /**
   * Ends all whose time is over by the clock. A process that was stopped finds answers before its timers have
   * run: what they would lead to must not be sent any more (protocol.md §6).
   */
  endOverdue(): void {
    const nowMs = this.#clock.nowMs()
    for (;;) {
      const oldest = this.#entries[this.#first]
      if (oldest?.item === undefined || oldest.endsAtMs > nowMs) return
      this.#onOverdue(oldest.item)
    }
  }

  /** Ends nothing any more. Returns all that have not ended, oldest first. */
  stop(): readonly T[] {
    const all = this.#all()
    this.#entries = []
    this.#first = 0
    this.#cancel()
    return all
  }

  #all(): T[] {
    return this.#entries.slice(this.#first).flatMap(({ item }) => (item === undefined ? [] : [item]))
  }

  /** The timer is set for the oldest; where there is none, no timer keeps the process. */
  #watch(): void {
    if (this.#cancelTimer !== undefined) return
    const oldest = this.#entries[this.#first]
    if (oldest === undefined) return
    this.#cancelTimer = this.#clock.after(Math.max(0, oldest.endsAtMs - this.#clock.nowMs()), () => {
      this.#cancelTimer = undefined
      this.endOverdue()
      this.#watch()
    })
  }

  #skipEnded(): void {
    const entries = this.#entries
    while (this.#first < entries.length && entries[this.#first]!.item === undefined) this.#first += 1
    if (this.#first === entries.length) this.#cancel()
    if (this.#first < 1_024 || 2 * this.#first < entries.length) return
    this.#entries = entries.slice(this.#first)
    this.#first = 0
  }

  #cancel(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}
