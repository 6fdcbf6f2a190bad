import type { Damage } from '../register/messages.ts'

/**
 * The largest number of remembered damages. For a further key the node reports its present bound, which is as
 * good.
 */
const DAMAGES_MAX = 100_000

/**
 * The damaged records that a node has found, by reads and by its scrub, and that have not healed yet. They
 * are only in memory: after a restart the node finds them again.
 */
export class Damages {
  /** By key, in the order in which they were found. */
  readonly #damages = new Map<string, Damage>()
  readonly #onFound: (key: string, reason: string) => void
  #foundCount = 0
  #healedCount = 0

  /** `onFound` is called once for each damage. */
  constructor(onFound: (key: string, reason: string) => void = () => {}) {
    this.#onFound = onFound
  }

  /** The records that are damaged now. */
  get count(): number {
    return this.#damages.size
  }

  /** The number of damages that were found since the start, and of those that have healed. */
  get foundCount(): number {
    return this.#foundCount
  }

  get healedCount(): number {
    return this.#healedCount
  }

  get keys(): Iterable<string> {
    return this.#damages.keys()
  }

  /**
   * The record of a key is damaged. Returns what to report: the bound at the time when the damage was found.
   */
  note(key: string, promiseBound: number, reason: string): Damage {
    const known = this.#damages.get(key)
    if (known !== undefined) return known
    const damage = { promiseBound }
    if (this.#damages.size >= DAMAGES_MAX) return damage
    this.#damages.set(key, damage)
    this.#foundCount += 1
    this.#onFound(key, reason)
    return damage
  }

  /** The record of a key has been replaced. */
  healed(key: string): void {
    if (this.#damages.delete(key)) this.#healedCount += 1
  }

  /** The record of a key was read and is whole: the disk has returned other bytes than before. */
  readWhole(key: string): void {
    if (this.#damages.size > 0) this.#damages.delete(key)
  }
}
