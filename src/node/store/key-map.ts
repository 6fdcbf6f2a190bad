import type { KeyHash } from './key-hash.ts'

/** A key and its hash. */
export type Keyed = Readonly<{ key: string; hash: KeyHash }>

/**
 * A map by key that looks up a number, which is made from the hash of the key. A `Map` of texts would make V8
 * intern each text that is looked up, which costs more than the rest of a read.
 */
export class KeyMap<E extends Keyed> {
  readonly #entries = new Map<number, E>()
  /** Entries whose number belongs to another entry already. Two hashes of 52 bits are rarely equal. */
  readonly #others = new Map<string, E>()

  get size(): number {
    return this.#entries.size + this.#others.size
  }

  get(key: string, hash: KeyHash): E | undefined {
    const entry = this.#entries.get(numberOf(hash))
    if (entry?.key === key) return entry
    return this.#others.size === 0 ? undefined : this.#others.get(key)
  }

  /** Adds an entry. Its key must have none. */
  add(entry: E): void {
    const number = numberOf(entry.hash)
    if (this.#entries.has(number)) this.#others.set(entry.key, entry)
    else this.#entries.set(number, entry)
  }

  delete(entry: E): void {
    const number = numberOf(entry.hash)
    if (this.#entries.get(number) === entry) this.#entries.delete(number)
    else this.#others.delete(entry.key)
  }

  clear(): void {
    this.#entries.clear()
    this.#others.clear()
  }
}

function numberOf({ high, low }: KeyHash): number {
  return high * 2 ** 20 + (low >>> 12)
}
