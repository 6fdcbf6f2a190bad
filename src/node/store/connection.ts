import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FaultError } from '../../process/fault.ts'
import { syncDirectory } from '../../process/sync-directory.ts'

/** How long to wait while another program, such as `sqlite3`, has the database locked. */
const BUSY_TIMEOUT_MS = 2_000

/** The value of `PRAGMA synchronous` when it is FULL. */
const FULL = 2

/** The largest part of the database that is kept in memory. */
const CACHE_KIB = 64 * 1024

/**
 * Opens the database at `path`, which is created when there is none, with everything that durability needs.
 */
export function openDatabase(path: string): DatabaseSync {
  createPrivate(path)
  const db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
  try {
    configure(db)
    assertDurable(db)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

/**
 * Creates an empty file that only this user can read, if there is none. SQLite gives the files of its log the
 * same permissions.
 *
 * @throws {FaultError} when it cannot be created
 */
export function createPrivate(path: string): void {
  try {
    // The file is not opened if it exists: when a process closes any descriptor of a file, it loses all its
    // locks on that file.
    closeSync(openSync(path, 'wx', 0o600))
    syncDirectory(dirname(path))
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new FaultError(
      'data_directory_unusable',
      `${path} cannot be opened (${(cause as Error).message}). Check that the data directory is writable for this user.`,
      cause,
    )
  }
}

function configure(db: DatabaseSync): void {
  // It takes effect only in a new database. Free pages can then be given back without a full VACUUM.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('PRAGMA journal_mode = WAL')
  // An answer promises that its change is on the disk. In WAL mode only FULL syncs the log at every commit.
  db.exec('PRAGMA synchronous = FULL')
  // The commit that makes the log longer than this many pages (16 MB) also runs a checkpoint. Measured with
  // batches of 18 creates: with SQLite's 1,000 pages the p99 of a turn was 7 ms; with 4,000 it is 1 to 3 ms,
  // and the longest turn is about 25 ms. With 16,000 the p99 is little better, and the longest turn 40 ms. A
  // second thread for checkpoints was no better, because it competes for the disk.
  db.exec('PRAGMA wal_autocheckpoint = 4000')
  // SQLite's 2 MB do not hold the index of a few hundred thousand keys: reading its pages again took a tenth
  // of a create.
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  // A log that became longer in a burst is cut to this size at the next checkpoint.
  db.exec('PRAGMA journal_size_limit = 67108864')
}

/**
 * Asserts that each commit is on the disk when it returns. SQLite ignores a setting that it cannot apply, for
 * example on some network file systems.
 *
 * @throws {FaultError}
 */
export function assertDurable(db: DatabaseSync): void {
  const mode = db.prepare('PRAGMA journal_mode').get()?.journal_mode
  const synchronous = db.prepare('PRAGMA synchronous').get()?.synchronous
  if (mode === 'wal' && synchronous === FULL) return
  throw new FaultError(
    'data_directory_unusable',
    `the database ${db.location()} cannot be made durable (journal_mode ${mode}, synchronous ${synchronous}): use a data ` +
      'directory on a local file system',
    undefined,
  )
}
