/**
 * Seeded chance: one seed draws the same numbers on every machine. The generator is sfc32 (Chris
 * Doty-Humphrey, PractRand).
 */
export class Chance {
  #a = 0
  #b = 0
  #c = 0
  #counter = 1

  /** @param seed any integer from 0 to 2^53 - 1 */
  constructor(seed: number) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 2 ** 32) >>> 0
    this.#c = 0x9e3779b9
    for (let i = 0; i < 12; i += 1) this.#next()
  }

  /** An integer from 0 to `limit - 1`. `limit`: 1 to 2^32. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit)
  }

  /** An integer from `least` to `most`. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1)
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return this.#next() / 2 ** 32
  }

  /** True with the given probability. */
  happens(probability: number): boolean {
    return this.uniform() < probability
  }

  /** One of `choices`, which is not empty. */
  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) >>> 0
    this.#counter = (this.#counter + 1) >>> 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) >>> 0
    return sum
  }
}
