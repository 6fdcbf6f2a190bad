/** When operations end that all get the same time: the oldest is always the next. */
export class Deadlines<T> {
  #entries: { item: T | undefined; readonly endsAtMs: number }[] = []
  /** Where the oldest is: those before it have ended. */
  #first = 0

  /** Adds the newest. Returns what to call when it has ended by itself, once. */
  add(item: T, endsAtMs: number): () => void {
    const entry: { item: T | undefined; readonly endsAtMs: number } = { item, endsAtMs }
    this.#entries.push(entry)
    return () => {
      entry.item = undefined
      this.#skipEnded()
    }
  }

  /** When the oldest ends; `undefined` when there is none. */
  get nextMs(): number | undefined {
    return this.#entries[this.#first]?.endsAtMs
  }

  /** The oldest, if its time is over. It stays until it is said to have ended. */
  overdue(nowMs: number): T | undefined {
    const oldest = this.#entries[this.#first]
    return oldest !== undefined && oldest.endsAtMs <= nowMs ? oldest.item : undefined
  }

  /** All that have not ended, oldest first. */
  all(): T[] {
    return this.#entries.slice(this.#first).flatMap(({ item }) => (item === undefined ? [] : [item]))
  }

  #skipEnded(): void {
    const entries = this.#entries
    while (this.#first < entries.length && entries[this.#first]!.item === undefined) this.#first += 1
    if (this.#first < 1_024 || 2 * this.#first < entries.length) return
    this.#entries = entries.slice(this.#first)
    this.#first = 0
  }
}
