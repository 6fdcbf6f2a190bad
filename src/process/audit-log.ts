/** The audit log of a process: one JSON line for each event, apart from the service log. */
import { closeSync, openSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Clock } from './clock.ts'
import { DescriptorDestination, type Destination, destinationOf } from './destination.ts'
import { escapeCharacter } from './escape-character.ts'
import { FaultError } from './fault.ts'
import { LineOutput } from './line-output.ts'
import { RepeatedReports } from './repeated-reports.ts'

/** How many bytes may wait for a slow reader of stdout. */
const PENDING_BYTES_MAX = 1_048_576
/** The owner may read and write: the lines say who has done what. */
const FILE_MODE = 0o600

export type AuditLogOptions = Readonly<{
  /** The absolute path of a file, to which lines are added; `-`: stdout. */
  path: string
  /** Where the process says that lines cannot be written. */
  logger: Logger
  clock: Pick<Clock, 'nowMs'>
  now: () => Date
}>

/**
 * Writes audit lines. A line that cannot be written (the disk is full) is dropped, counted, and reported in
 * the service log; the audit log itself says how many lines are missing before its next line. A request never
 * waits or fails because of it.
 */
export class AuditLog {
  readonly #options: AuditLogOptions
  readonly #lines: LineOutput
  readonly #reports: RepeatedReports
  #destination: Pick<Destination, 'write'>
  #descriptor: number | undefined

  /** @throws {FaultError} when the file cannot be opened */
  constructor(options: AuditLogOptions) {
    this.#options = options
    this.#reports = new RepeatedReports(options.clock)
    this.#destination = this.#open()
    this.#lines = new LineOutput({ write: (text, onLost) => this.#write(text, onLost) }, (dropped) =>
      this.#lineOf({ event: 'lines_dropped', dropped }),
    )
  }

  /** How many lines could not be written. */
  get droppedCount(): number {
    return this.#lines.droppedCount
  }

  /** Adds a line with the time and these fields. It never throws. */
  write(fields: object): void {
    this.#lines.write(this.#lineOf(fields))
  }

  /**
   * Opens the file again, after a program that rotates logs has moved it. If that fails, lines go to the file
   * that is open, and the service log says so.
   */
  reopen(): void {
    const before = this.#descriptor
    try {
      this.#destination = this.#open()
      if (before !== undefined) closeSync(before)
    } catch (error) {
      this.#options.logger.error({ err: error }, 'the audit log could not be opened again')
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    this.#descriptor = undefined
    this.#destination = {
      write: () => {
        throw new Error('the audit log is closed')
      },
    }
  }

  #open(): Pick<Destination, 'write'> {
    const { path } = this.#options
    if (path === '-') return destinationOf(1, { pendingBytesMax: PENDING_BYTES_MAX })
    try {
      this.#descriptor = openSync(path, 'a', FILE_MODE)
    } catch (cause) {
      const reason = (cause as Error).message
      throw new FaultError('audit_log_unusable', `the audit log ${path} cannot be opened: ${reason}`, cause)
    }
    return new DescriptorDestination(this.#descriptor)
  }

  #write(text: string, onLost?: () => void): void {
    try {
      this.#destination.write(text, onLost)
    } catch (error) {
      this.#reports.report('dropped', () => {
        this.#options.logger.error(
          { err: error, dropped: this.#lines.droppedCount + 1 },
          'audit lines cannot be written and are dropped',
        )
      })
      throw error
    }
  }

  #lineOf(fields: object): string {
    const line = JSON.stringify({ time: this.#options.now().toISOString(), ...fields })
    return `${line.replace(UNPRINTABLE, escapeCharacter)}\n`
  }
}

/** What JSON may contain as it is, and what a terminal or a reader of lines may act on. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029]/g
