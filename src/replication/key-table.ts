/**
 * A table by key, like a `Map`, for entries that live for milliseconds.
 *
 * V8 replaces the table of a `Map` when removed entries have filled it, and links the replaced table to its
 * successor. A replaced table in the old generation kept all later tables alive until the next full
 * collection, and with them all entries that they had when they were replaced. Copying those took a tenth of
 * the CPU time of a read. The table of an object has no such link.
 */
export class KeyTable<T> {
  /** Without a prototype, so that no key exists before it is set. */
  #entries: { [key: string]: T } = Object.create(null)

  get(key: string): T | undefined {
    return this.#entries[key]
  }

  set(key: string, value: T): void {
    this.#entries[key] = value
  }

  delete(key: string): void {
    delete this.#entries[key]
  }

  clear(): void {
    this.#entries = Object.create(null)
  }

  /** A copy of all entries. */
  entries(): [key: string, value: T][] {
    return Object.entries(this.#entries)
  }
}
