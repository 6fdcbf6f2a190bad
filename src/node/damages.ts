import type { Damage } from '../register/messages.ts'

/**
 * The damages that are remembered, at most. Of a key beyond them the bound of the moment is told, which is as
 * good.
 */
const DAMAGES_MAX = 100_000

/**
 * The damaged records that a node has come upon, by reads and by its scrub, and that have not healed yet. It
 * is in memory alone: after a restart the node comes upon them again.
 */
export class Damages {
  /** By key, in the order in which they were found. */
  readonly #damages = new Map<string, Damage>()
  readonly #onFound: (key: string, reason: string) => void
  #foundCount = 0
  #healedCount = 0

  /** `onFound` is told of each damage once. */
  constructor(onFound: (key: string, reason: string) => void = () => {}) {
    this.#onFound = onFound
  }

  /** Those that are damaged now. */
  get count(): number {
    return this.#damages.size
  }

  /** Those that were found since the start, and those of them that have healed. */
  get foundCount(): number {
    return this.#foundCount
  }

  get healedCount(): number {
    return this.#healedCount
  }

  get keys(): Iterable<string> {
    return this.#damages.keys()
  }

  /** The record of a key is damaged. Returns what to tell of it: the bound when the damage was found. */
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

  /** The record of a key was read, and is whole: the disk has told something else than before. */
  readWhole(key: string): void {
    if (this.#damages.size > 0) this.#damages.delete(key)
  }
}
