/** Limits how many things are under way at the same time. */
export class Slots {
  #free: number
  readonly #size: number
  #waiting: (() => void)[] = []

  constructor(size: number) {
    this.#size = size
    this.#free = size
  }

  /** Waits for a free slot and takes it. Only one caller may wait. */
  async take(): Promise<void> {
    while (this.#free === 0) await this.#nextRelease()
    this.#free -= 1
  }

  release(): void {
    this.#free += 1
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }

  /** Waits until nothing is under way. */
  async idle(): Promise<void> {
    while (this.#free < this.#size) await this.#nextRelease()
  }

  #nextRelease(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }
}
