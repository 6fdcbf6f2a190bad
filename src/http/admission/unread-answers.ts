/** Answers up to this size are not counted. */
const SMALL_BYTES = 16 * 1_024

/** How many bytes of answers may wait for clients that read slowly. */
const BYTES_MAX = 64 * 1_024 * 1_024

type Answer = Readonly<{ bytes: number; cut: () => void }>

/**
 * Bounds the memory of large answers that clients do not read. If there are too many bytes, the connections
 * with the oldest such answers are closed.
 */
export class UnreadAnswers {
  readonly #bytesMax: number
  /** Oldest first. */
  readonly #answers = new Set<Answer>()
  #bytes = 0
  #cutCount = 0

  constructor(bytesMax: number = BYTES_MAX) {
    this.#bytesMax = bytesMax
  }

  /** How many connections were closed because their clients did not read. */
  get cutCount(): number {
    return this.#cutCount
  }

  /** The bytes of answers that their clients have not read. */
  get bytes(): number {
    return this.#bytes
  }

  /** Whether an answer of this size is counted. */
  static isCounted(bytes: number): boolean {
    return bytes > SMALL_BYTES
  }

  /**
   * Counts an answer. Call the returned function when the client has read it or is gone. It may be called
   * again.
   *
   * @param cut closes the connection
   */
  add(bytes: number, cut: () => void): () => void {
    const answer = { bytes, cut }
    this.#answers.add(answer)
    this.#bytes += bytes
    for (const oldest of this.#answers) {
      if (this.#bytes <= this.#bytesMax || oldest === answer) break
      this.#remove(oldest)
      this.#cutCount += 1
      oldest.cut()
    }
    return () => this.#remove(answer)
  }

  #remove(answer: Answer): void {
    if (this.#answers.delete(answer)) this.#bytes -= answer.bytes
  }
}
