import type { Destination } from './destination.ts'

/**
 * Lines that are written when they can be. A line that cannot be written (the disk is full, the reader is
 * gone or takes nothing) is dropped and counted. The next line that can be written follows a line that says
 * how many are missing.
 */
export class LineOutput {
  readonly #destination: Pick<Destination, 'write'>
  readonly #describeGap: (count: number) => string
  #droppedCount = 0
  /** How many dropped lines no line has told of yet. */
  #untoldCount = 0

  /** `describeGap` gives the line that stands for this many dropped lines, with its line feed. */
  constructor(destination: Pick<Destination, 'write'>, describeGap: (count: number) => string) {
    this.#destination = destination
    this.#describeGap = describeGap
  }

  /** How many lines were dropped so far. */
  get droppedCount(): number {
    return this.#droppedCount
  }

  /** Writes one line, which ends with its line feed, or drops it. Never throws. */
  write(line: string): void {
    try {
      if (this.#untoldCount > 0) {
        this.#destination.write(this.#describeGap(this.#untoldCount))
        this.#untoldCount = 0
      }
      this.#destination.write(line, () => this.#drop())
    } catch {
      this.#drop()
    }
  }

  #drop(): void {
    this.#untoldCount += 1
    this.#droppedCount += 1
  }
}
