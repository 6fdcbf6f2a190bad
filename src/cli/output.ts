import type { Destination } from '../process/destination.ts'
import { printable } from './format-group.ts'
import type { Terminal } from './terminal.ts'

/** How long a command that has been stopped waits for the reader of its log. */
const LOG_FLUSH_MS = 1_000

/**
 * The stdout or the stderr of a command. A failed write never ends a command, because its exit code must say
 * what happened to the data. At the end `main.ts` asks whether output was lost.
 */
export class Output {
  readonly #destination: Destination
  readonly #terminal: Terminal
  #firstFailure: NodeJS.ErrnoException | undefined
  #hasAnswer = false
  #isLog = false

  constructor(destination: Destination, terminal: Terminal) {
    this.#destination = destination
    this.#terminal = terminal
  }

  get isTerminal(): boolean {
    return this.#terminal.isTerminal
  }

  /** Width of the terminal, in characters. `undefined`: text can only be appended. */
  get columns(): number | undefined {
    return this.#terminal.columns
  }

  /** Height of the terminal, in lines. `undefined`: see `columns`. */
  get rows(): number | undefined {
    return this.#terminal.rows
  }

  get hasColours(): boolean {
    return this.#terminal.hasColours
  }

  /**
   * Prints progress or a report. It may be lost, because the exit code says the same. Control characters are
   * escaped, but for those of lines and of colours: what a server has answered must not move the cursor.
   */
  write(text: string): void {
    this.draw(text.replace(this.hasColours ? CONTROLS_BUT_COLOURS : CONTROLS, printable))
  }

  /** Prints text that moves the cursor. What it shows of other processes must be `printable`. */
  draw(text: string): void {
    try {
      this.#destination.write(text)
    } catch (error) {
      this.#firstFailure ??= error as NodeJS.ErrnoException
    }
  }

  /** Prints the answer that the user asked for. The exit code cannot replace it. */
  answer(text: string): void {
    this.#hasAnswer = true
    this.write(text)
  }

  /** Writes a part of a file, and waits until the reader has taken it. Rejects if it cannot be written. */
  writeAll(bytes: Buffer): Promise<void> {
    return this.#destination.writeAll(bytes)
  }

  /**
   * For a command that runs until it is stopped: its output is a log. A reader that takes nothing, as a pager
   * which was stopped, must not keep such a command running, so `flush` waits for a second at most.
   */
  becomeLog(): void {
    this.#isLog = true
  }

  /**
   * Waits until everything is read or cannot be read any more, at most `timeoutMs` (default: no limit, except
   * for a log). Resolves with `false` if something still waits for its reader.
   */
  flush(timeoutMs: number | undefined = this.#isLog ? LOG_FLUSH_MS : undefined): Promise<boolean> {
    return this.#destination.flush(timeoutMs)
  }

  /** Whether the reader has closed its end, as `head` does when it has read enough. */
  get isReaderGone(): boolean {
    return READER_GONE.has(this.#failure?.code ?? '')
  }

  /**
   * The error by which output was lost. `undefined`: nothing was lost, or the reader has closed its end. Call
   * `flush` first.
   */
  get loss(): Error | undefined {
    return this.isReaderGone ? undefined : this.#failure
  }

  /** Whether an answer was lost. Call `flush` first. */
  get hasLostAnswer(): boolean {
    return this.#hasAnswer && this.loss !== undefined
  }

  get #failure(): NodeJS.ErrnoException | undefined {
    return this.#firstFailure ?? this.#destination.error
  }
}

/** All control characters but tab and line feed. */
const CONTROLS = /[^\P{Cc}\t\n]/gu
/** The same without the sequences that the painter of tables makes. */
const CONTROLS_BUT_COLOURS = new RegExp(`(?!${String.fromCharCode(27)}\\[\\d+m)${CONTROLS.source}`, 'gu')

const READER_GONE: ReadonlySet<string> = new Set(['EPIPE', 'ECONNRESET'])
