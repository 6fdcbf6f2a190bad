import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { isWrittenByAll, statOf } from '../process/private-files.ts'

export type WatchedFileOptions<T> = Readonly<{
  path: string
  /** What the file is for, in messages: `the admin keys`. */
  subject: string
  /** @throws AccessFileError for a text that cannot be used */
  parse: (text: string, path: string) => T
  clock: Pick<Clock, 'after'>
  logger: Pick<Logger, 'info' | 'warn' | 'error'>
}>

/** A file that cannot be used. The message is a sentence without its full stop, and holds no secret. */
export class AccessFileError extends Error {
  override readonly name = 'AccessFileError'
}

/** How often the file is read. It is small, and a change of it can be a link that points elsewhere. */
const POLL_MS = 1_000

/**
 * A small file that says who may do what. It is read again when it changes. A change that cannot be used is
 * reported, and what was in the file before stays in use.
 */
export class WatchedFile<T> {
  readonly #options: WatchedFileOptions<T>
  #value: T
  /** The state of the file when it was last read. */
  #seen: string
  #cancel: () => void = () => {}

  /** @throws AccessFileError */
  constructor(options: WatchedFileOptions<T>) {
    this.#options = options
    const content = contentOf(options.path)
    this.#value = this.#valueIn(content)
    this.#seen = content.state
    this.#warnOfWriters()
    this.#schedule()
  }

  /** What the last content of the file that could be used means. */
  get value(): T {
    return this.#value
  }

  close(): void {
    this.#cancel()
  }

  #poll(): void {
    const { path, subject, logger } = this.#options
    try {
      // A file that cannot be read is reported once, and so is one that cannot be used.
      const content = contentOf(path)
      if (content.state === this.#seen) return
      this.#seen = content.state
      this.#value = this.#valueIn(content)
      logger.info({ file: path }, `${subject} have changed, and are in use`)
      this.#warnOfWriters()
    } catch (error) {
      if (!(error instanceof AccessFileError)) throw error
      logger.error(
        { file: path },
        `${error.message}: the file is not used, and ${subject} before it stay in use`,
      )
    }
  }

  /** Whoever may write the file may do everything. A link counts as the file that it leads to. */
  #warnOfWriters(): void {
    const { path, subject, logger } = this.#options
    const found = statOf(path)
    if (found === undefined || !isWrittenByAll(found)) return
    logger.warn(
      { file: path },
      `every user of this machine can change ${subject} in ${path}: protect the file with "chmod o-w ${path}"`,
    )
  }

  #valueIn({ state, text }: Content): T {
    const { path, parse } = this.#options
    if (text === undefined) throw new AccessFileError(`${path} cannot be read (${state})`)
    return parse(text, path)
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(POLL_MS, () => {
      this.#poll()
      this.#schedule()
    })
  }
}

/** What a file holds. `state` is equal as long as the file is the same. */
type Content = Readonly<{ state: string; text: string | undefined }>

function contentOf(path: string): Content {
  try {
    const text = readFileSync(path, 'utf8')
    return { state: `text ${text}`, text }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { state: code ?? message, text: undefined }
  }
}
