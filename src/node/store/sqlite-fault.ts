import { FaultError } from '../../process/fault.ts'
import { DamagedColumnError, isOutOfRange } from './columns.ts'
import { DamagedRecordError } from './damaged-record.ts'

/** SQLite's primary result codes that an operator can act on (sqlite.org/rescode.html). */
const BUSY = 5
const READONLY = 8
const IO_ERROR = 10
const CORRUPT = 11
const FULL = 13
const CANNOT_OPEN = 14
const NOT_A_DATABASE = 26

const KEPT = 'Everything this node has acknowledged is kept; the change under way was not acknowledged.'

/** The primary result code of an error that `node:sqlite` threw; `undefined` for any other error. */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number')
    return undefined
  return error.errcode & 0xff
}

/** Whether another connection holds the lock. */
export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === BUSY
}

/** Whether SQLite cannot make sense of the pages of the database. */
export function isMalformed(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === CORRUPT || code === NOT_A_DATABASE
}

/** Whether an error shows that the data are not what was written. */
function isDamage(error: unknown): boolean {
  return error instanceof DamagedRecordError || error instanceof DamagedColumnError || isOutOfRange(error)
}

/** Whether an error comes from the database, and not from a mistake in the program. */
export function isStoreError(error: unknown): boolean {
  return isDamage(error) || sqliteCode(error) !== undefined
}

/** Says for an operator what an error of the database at `path` means, and what to do. */
export function asFault(error: unknown, path: string): FaultError {
  if (error instanceof FaultError) return error
  const said = error instanceof Error ? error.message : String(error)
  switch (isDamage(error) ? CORRUPT : sqliteCode(error)) {
    case FULL:
      return new FaultError(
        'store_full',
        `there is no space left to write ${path} (${said}). ${KEPT} Free some space and start the node again.`,
        error,
      )
    case CORRUPT:
    case NOT_A_DATABASE:
      return new FaultError(
        'store_corrupt',
        `${path} is damaged (${said}). What this node holds can no longer be trusted; the other nodes are not ` +
          'affected. Check the disk, then replace this node by one with an empty data directory.',
        error,
      )
    case IO_ERROR:
    case READONLY:
      return new FaultError(
        'store_failed',
        `${path} cannot be read or written (${said}). ${KEPT} Check the disk, its free space and the permissions, ` +
          'then start the node again.',
        error,
      )
    case CANNOT_OPEN:
      return new FaultError(
        'data_directory_unusable',
        `${path} cannot be opened (${said}). Check that the data directory is writable for this user.`,
        error,
      )
    case BUSY:
      return new FaultError(
        'store_failed',
        `another program has locked ${path} for too long (${said}). ${KEPT} Close it, then start the node again.`,
        error,
      )
    default:
      return new FaultError(
        'store_failed',
        `the store ${path} failed (${said}). ${KEPT} This looks like a bug: keep the log, and ` +
          'report it.',
        error,
      )
  }
}
