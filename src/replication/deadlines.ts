import type { Clock } from '../process/clock.ts'

type Entry<T> = { item: T | undefined; readonly endsAtMs: number }

/**
 * The deadlines of operations that all get the same time. The oldest operation always ends next, so one timer
 * is enough for all.
 */
export class Deadlines<T> {
  readonly #clock: Clock
  readonly #onOverdue: (item: T) => void
  #entries: Entry<T>[] = []
  /** The index of the oldest operation. The entries before it have ended. */
  #first = 0
  #cancelTimer: (() => void) | undefined

  /**
   * `onOverdue` ends an operation whose time is over. It must at once call the function that `add` returned.
   */
  constructor(clock: Clock, onOverdue: (item: T) => void) {
    this.#clock = clock
    this.#onOverdue = onOverdue
  }

  /** How many operations have not ended. */
  get count(): number {
    return this.all().length
  }

  /** Adds an operation, which is usually the newest. Call the returned function once when it has ended. */
  add(item: T, endsAtMs: number): () => void {
    const entry: Entry<T> = { item, endsAtMs }
    const { length } = this.#entries
    let at = length
    // An operation from an older epoch can end before those of this epoch.
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
   * Ends all operations whose time is over by the clock. A process that was stopped receives answers before
   * its timers run, and must not send anything because of them any more (protocol.md §6).
   */
  endOverdue(): void {
    const nowMs = this.#clock.nowMs()
    for (;;) {
      const oldest = this.#entries[this.#first]
      if (oldest?.item === undefined || oldest.endsAtMs > nowMs) return
      this.#onOverdue(oldest.item)
    }
  }

  /** Stops all deadlines. Returns the operations that have not ended, oldest first. */
  stop(): readonly T[] {
    const all = this.all()
    this.#entries = []
    this.#first = 0
    this.#cancel()
    return all
  }

  /** All that have not ended, oldest first. */
  all(): readonly T[] {
    return this.#entries.slice(this.#first).flatMap(({ item }) => (item === undefined ? [] : [item]))
  }

  /** Sets the timer for the oldest operation. Without operations there is no timer. */
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
