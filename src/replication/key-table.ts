/**
 * What is under way, by key: a `Map` for entries that live for milliseconds.
 *
 * V8 replaces the table of a `Map` whenever removed entries have filled it, and links the replaced table to
 * its successor. A replaced table that had got into the old generation kept all later ones alive, and with
 * them whatever was under way when each was replaced, up to the next full collection: a tenth of a read's CPU
 * went to copying that. The table of an object has no such link.
 */
export class KeyTable<T> {
  /** Without a prototype, so that no key is there before it is set. */
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

  /** As they are now: a copy. */
  entries(): [key: string, value: T][] {
    return Object.entries(this.#entries)
  }
}
