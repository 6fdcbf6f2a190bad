import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { FaultError } from '../../process/fault.ts'
import { isPrivate, makePrivateDirectory, protectFile } from '../../process/private-files.ts'
import { createPrivate } from './connection.ts'
import { asFault, isBusy } from './sqlite-fault.ts'
import { SqliteStore, type StoreOptions } from './sqlite-store.ts'

/** The files of a data directory. */
export const STORE_FILE = 'node.db'
const LOCK_FILE = 'owner.lock'
/** With the further files that SQLite puts beside them. */
const OUR_FILES = /^(node\.db|owner\.lock)(-wal|-shm|-journal)?$/

/** A data directory that this process owns, until `close`. */
export type DataDirectory = Readonly<{
  store: SqliteStore
  /** Whether its owner alone can read the database. */
  isPrivate: boolean
  close: () => void
}>

/**
 * Takes possession of a data directory, which is created when there is none, and opens its store.
 *
 * The kernel holds a lock on a file of its own for this process. The lock ends with the process, however that
 * ends, and other programs can read the database meanwhile.
 *
 * @throws {FaultError} when another process has the directory, or when it cannot be used.
 */
export function openDataDirectory(directory: string, options?: StoreOptions): DataDirectory {
  makeDirectory(directory)
  const lock = takeLock(directory)
  try {
    const store = new SqliteStore(join(directory, STORE_FILE), options)
    return {
      store,
      isPrivate: isPrivate(join(directory, STORE_FILE)),
      close: () => {
        store.close()
        lock.close()
      },
    }
  } catch (error) {
    lock.close()
    throw error
  }
}

function makeDirectory(directory: string): void {
  try {
    makePrivateDirectory(directory, (name) => OUR_FILES.test(name))
    // An older version left them open to others.
    for (const name of readdirSync(directory)) if (OUR_FILES.test(name)) protectFile(join(directory, name))
  } catch (cause) {
    throw new FaultError(
      'data_directory_unusable',
      `the data directory ${directory} cannot be made (${cause instanceof Error ? cause.message : cause}): ` +
        'choose another one, or correct its permissions',
      cause,
    )
  }
}

function takeLock(directory: string): DatabaseSync {
  const path = join(directory, LOCK_FILE)
  let lock: DatabaseSync | undefined
  try {
    createPrivate(path)
    lock = new DatabaseSync(path, { timeout: 0 })
    // SQLite's exclusive lock is a lock of the kernel. The transaction is empty, so that nothing is written.
    lock.exec('BEGIN EXCLUSIVE')
    return lock
  } catch (error) {
    lock?.close()
    if (!isBusy(error)) throw asFault(error, path)
    throw new FaultError(
      'data_directory_in_use',
      `another process is using the data directory ${directory}: stop it first, or give this node a directory of its own`,
      error,
    )
  }
}
