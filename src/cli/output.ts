import type { Destination } from '../process/destination.ts'
import type { Terminal } from './terminal.ts'

/**
 * The stdout or the stderr of a command. Output that cannot be written never ends a command: its exit code
 * says what happened to the data. `main.ts` asks at the end what was lost.
 */
export class Output {
  readonly #destination: Destination
  readonly #terminal: Terminal
  #firstFailure: NodeJS.ErrnoException | undefined
  #hasAnswer = false

  constructor(destination: Destination, terminal: Terminal) {
    this.#destination = destination
    this.#terminal = terminal
  }

  get isTerminal(): boolean {
    return this.#terminal.isTerminal
  }

  /** Width of the terminal, in characters. `undefined`: lines can only be added at the end. */
  get columns(): number | undefined {
    return this.#terminal.columns
  }

  /** Height of the terminal, in lines. `undefined`: as for `columns`. */
  get rows(): number | undefined {
    return this.#terminal.rows
  }

  get hasColours(): boolean {
    return this.#terminal.hasColours
  }

  /** Prints what tells of the work: progress, a report. The exit code says the same, so it may be lost. */
  write(text: string): void {
    try {
      this.#destination.write(text)
    } catch (error) {
      this.#firstFailure ??= error as NodeJS.ErrnoException
    }
  }

  /** Prints what the command was asked for, and what no exit code can say. */
  answer(text: string): void {
    this.#hasAnswer = true
    this.write(text)
  }

  /** Prints a part of a file, and waits until the reader has taken it. Rejects when it cannot be written. */
  writeAll(bytes: Buffer): Promise<void> {
    return this.#destination.writeAll(bytes)
  }

  /** Waits until the reader has taken everything, or cannot, or for `timeoutMs` (default: no limit). */
  flush(timeoutMs?: number): Promise<void> {
    return this.#destination.flush(timeoutMs)
  }

  /** Whether the reader has closed its end, as `head` does when it has read enough. */
  get isReaderGone(): boolean {
    return READER_GONE.has(this.#failure?.code ?? '')
  }

  /**
   * Why something was lost that a reader still waits for. `undefined`: nothing was. Complete after `flush`.
   */
  get loss(): Error | undefined {
    return this.isReaderGone ? undefined : this.#failure
  }

  /** Whether an answer was lost. Complete after `flush`. */
  get hasLostAnswer(): boolean {
    return this.#hasAnswer && this.loss !== undefined
  }

  get #failure(): NodeJS.ErrnoException | undefined {
    return this.#firstFailure ?? this.#destination.error
  }
}

const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET'])
