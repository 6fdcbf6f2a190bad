/** A set of whole numbers from 0 up to a size. It takes one bit for each number. */
export class NumberSet {
  readonly #bits: Uint32Array
  #size = 0

  constructor(limit: number) {
    this.#bits = new Uint32Array(Math.ceil(limit / 32))
  }

  /** How many numbers are in the set. */
  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    return (this.#bits[number >>> 5]! & (1 << (number & 31))) !== 0
  }

  add(number: number): void {
    if (this.has(number)) return
    this.#bits[number >>> 5]! |= 1 << (number & 31)
    this.#size += 1
  }
}
