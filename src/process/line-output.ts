import type { Destination } from './destination.ts'

/**
 * Writes lines if that is possible. A line that cannot be written (the disk is full, the reader is gone or
 * takes nothing) is dropped and counted. Before the next line that can be written, a line says how many lines
 * are missing.
 */
export class LineOutput {
  readonly #destination: Pick<Destination, 'write'>
  readonly #describeGap: (count: number) => string
  #droppedCount = 0
  /** How many dropped lines have not been reported yet. */
  #untoldCount = 0

  /** `describeGap` makes the line that reports this many dropped lines. The line ends with a line feed. */
  constructor(destination: Pick<Destination, 'write'>, describeGap: (count: number) => string) {
    this.#destination = destination
    this.#describeGap = describeGap
  }

  /** How many lines were dropped so far. */
  get droppedCount(): number {
    return this.#droppedCount
  }

  /** Writes one line or drops it. The line must end with a line feed. It never throws. */
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
