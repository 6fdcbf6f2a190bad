/** Bounds what callers take together. One caller may take half of what the others leave free. */
export class FairRoom {
  readonly #max: number
  readonly #takenBy = new Map<unknown, number>()
  #taken = 0

  constructor(max: number) {
    this.#max = max
  }

  /** How much all callers have taken together. */
  get taken(): number {
    return this.#taken
  }

  /**
   * Makes room for a caller.
   *
   * @returns a function that gives the room back, and may be called again; `undefined`: there is no room
   */
  enter(caller: unknown, amount: number): (() => void) | undefined {
    const before = this.#takenBy.get(caller) ?? 0
    if (before + amount > this.#max - this.#taken) return undefined
    this.#add(caller, amount)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#add(caller, -amount)
    }
  }

  #add(caller: unknown, amount: number): void {
    this.#taken += amount
    const ofCaller = (this.#takenBy.get(caller) ?? 0) + amount
    if (ofCaller === 0) this.#takenBy.delete(caller)
    else this.#takenBy.set(caller, ofCaller)
  }
}
