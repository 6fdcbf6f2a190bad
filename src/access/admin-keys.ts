/**
 * The admin keys of a connector: a file with the hash of one key, or of several while one replaces another.
 * They work without the cluster, so they are for its first start, and for the day on which no other key does.
 */
import { readFileSync } from 'node:fs'
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'
import { hashToken, TOKEN_START } from './key-token.ts'

/** The line of such a file for a key. */
export function hashLineOf(token: string): string {
  return `${HASH_START}${hashToken(token).toString('hex')}`
}

const HASH_START = 'sha256:'
const HASH_LINE = /^sha256:([0-9a-f]{64})$/

/** How many hashes a file may have: each costs a comparison for each request. */
const HASHES_MAX = 8

/** A file that cannot be used. The message is a sentence without its full stop, and holds no secret. */
export class AdminKeyError extends Error {
  override readonly name = 'AdminKeyError'
}

/**
 * The hashes in a text: one in a line. Empty lines and lines that begin with # are comments.
 *
 * @throws AdminKeyError
 */
export function parseAdminKeys(text: string, path: string): readonly Buffer[] {
  const hashes: Buffer[] = []
  for (const [index, line] of text
    .split(/\r?\n/)
    .map((each) => each.trim())
    .entries()) {
    if (line === '' || line.startsWith('#')) continue
    const digits = HASH_LINE.exec(line)?.[1]
    if (digits === undefined) {
      const what = line.includes(TOKEN_START)
        ? 'holds a key itself, and must hold its hash'
        : `does not hold the hash of a key in line ${index + 1}`
      throw new AdminKeyError(`${path} ${what}: "cohort key hash" makes it`)
    }
    hashes.push(Buffer.from(digits, 'hex'))
  }
  if (hashes.length === 0) throw new AdminKeyError(`${path} holds no hash: "cohort key hash" makes one`)
  if (hashes.length > HASHES_MAX) throw new AdminKeyError(`${path} holds more than ${HASHES_MAX} hashes`)
  return hashes
}

/** How often the file is read. It is small, and a change of it can be a link that points elsewhere. */
const POLL_MS = 1_000

export class AdminKeys {
  readonly #path: string
  readonly #clock: Pick<Clock, 'after'>
  readonly #logger: Pick<Logger, 'info' | 'error'>
  #hashes: readonly Buffer[]
  /** The state of the file when it was last read. */
  #seen: string
  #cancel: () => void = () => {}

  /** @throws AdminKeyError */
  constructor(
    path: string,
    { clock, logger }: Readonly<{ clock: Pick<Clock, 'after'>; logger: Pick<Logger, 'info' | 'error'> }>,
  ) {
    this.#path = path
    this.#clock = clock
    this.#logger = logger
    const content = contentOf(path)
    this.#hashes = hashesIn(content, path)
    this.#seen = content.state
    this.#schedule()
  }

  /** The hashes of the last content of the file that could be used. */
  get hashes(): readonly Buffer[] {
    return this.#hashes
  }

  close(): void {
    this.#cancel()
  }

  /** Reads the file now. It is called every second; a test may call it too. */
  poll(): void {
    const adminKeyFile = this.#path
    try {
      // A file that cannot be read is reported once, and so is one that cannot be used.
      const content = contentOf(adminKeyFile)
      if (content.state === this.#seen) return
      this.#seen = content.state
      this.#hashes = hashesIn(content, adminKeyFile)
      this.#logger.info({ adminKeyFile, keys: this.#hashes.length }, 'the changed admin keys are in use')
    } catch (error) {
      if (!(error instanceof AdminKeyError)) throw error
      this.#logger.error(
        { adminKeyFile },
        `${error.message}: the file is not used, and the admin keys before it stay in use`,
      )
    }
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(POLL_MS, () => {
      this.poll()
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

function hashesIn({ state, text }: Content, path: string): readonly Buffer[] {
  if (text === undefined) throw new AdminKeyError(`${path} cannot be read (${state})`)
  return parseAdminKeys(text, path)
}
