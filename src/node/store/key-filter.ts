import type { KeyHash } from './key-hash.ts'

/** With this many bits for each key, the filter is wrong for one of a thousand keys that were never added. */
const BITS_PER_KEY = 16

/** A block has eight words, a line of the processor's cache. A key sets one bit in each. */
const WORDS_PER_BLOCK = 8

/** The factors that choose the bit of each word (the constants of Parquet's split block Bloom filter). */
const SALTS = [
  0x47b6137b, 0x44974d91, 0x8824ad5b, 0xa2b7289d, 0x705495c7, 0x2df1424b, 0x9efc4947, 0x5c6bfb31,
] as const

/**
 * Remembers keys by their hashes in two bytes each: it can tell that a key was never added (Bloom 1970,
 * "Space/Time Trade-offs in Hash Coding with Allowable Errors", in blocks: Putze, Sanders and Singler 2007).
 * It grows with the number of keys.
 */
export class KeyFilter {
  /** New keys go into the last part. Each part is twice as large as the one before. */
  readonly #parts: Part[] = []

  /** `expected`: the number of keys that will probably be added. */
  constructor(expected: number) {
    this.#parts.push(new Part(expected))
  }

  add(hash: KeyHash): void {
    let last = this.#parts.at(-1)!
    if (last.isFull) {
      last = new Part(2 * last.capacity)
      this.#parts.push(last)
    }
    last.add(hash)
  }

  /** `false`: the key was never added. */
  mayHave(hash: KeyHash): boolean {
    return this.#parts.some((part) => part.mayHave(hash))
  }
}

class Part {
  readonly capacity: number
  readonly #words: Int32Array
  readonly #blocks: number
  #count = 0

  constructor(capacity: number) {
    this.capacity = capacity
    this.#blocks = Math.ceil((capacity * BITS_PER_KEY) / (32 * WORDS_PER_BLOCK))
    this.#words = new Int32Array(WORDS_PER_BLOCK * this.#blocks)
  }

  get isFull(): boolean {
    return this.#count >= this.capacity
  }

  add({ high, low }: KeyHash): void {
    this.#count += 1
    const first = this.#firstWord(high)
    for (let index = 0; index < WORDS_PER_BLOCK; index += 1)
      this.#words[first + index]! |= 1 << (Math.imul(low, SALTS[index]!) >>> 27)
  }

  mayHave({ high, low }: KeyHash): boolean {
    const first = this.#firstWord(high)
    for (let index = 0; index < WORDS_PER_BLOCK; index += 1) {
      if (((this.#words[first + index]! >>> (Math.imul(low, SALTS[index]!) >>> 27)) & 1) === 0) return false
    }
    return true
  }

  #firstWord(high: number): number {
    return WORDS_PER_BLOCK * Math.floor((high / 2 ** 32) * this.#blocks)
  }
}
