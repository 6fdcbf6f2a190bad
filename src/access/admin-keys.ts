/**
 * The admin keys of a connector: a file with the hash of one key, or of several while one replaces another.
 * They work without the cluster, so they are for its first start, and for the day on which no other key does.
 */
import { hashToken, TOKEN_START } from './key-token.ts'
import { AccessFileError } from './watched-file.ts'

/** The line of such a file for a key. */
export function hashLineOf(token: string): string {
  return `${HASH_START}${hashToken(token).toString('hex')}`
}

const HASH_START = 'sha256:'
const HASH_LINE = /^sha256:([0-9a-f]{64})$/

/** How many hashes a file may have: each costs a comparison for each request. */
const HASHES_MAX = 8

/**
 * The hashes in a text: one in a line. Empty lines and lines that begin with # are comments.
 *
 * @throws AccessFileError
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
      throw new AccessFileError(`${path} ${what}: "cohort key hash" makes it`)
    }
    hashes.push(Buffer.from(digits, 'hex'))
  }
  if (hashes.length === 0) throw new AccessFileError(`${path} holds no hash: "cohort key hash" makes one`)
  if (hashes.length > HASHES_MAX) throw new AccessFileError(`${path} holds more than ${HASHES_MAX} hashes`)
  return hashes
}
