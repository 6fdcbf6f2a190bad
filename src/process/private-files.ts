/** Files and directories that only their owner may read: the data of a node, and backups. */
import { chmodSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { syncDirectory } from './sync-directory.ts'

/** The owner may read and write. */
const PRIVATE_FILE_MODE = 0o600
const PRIVATE_DIRECTORY_MODE = 0o700

/**
 * Makes a directory and its missing parents, so that they survive a power cut. Only the owner gets rights to
 * it. An existing directory is closed to other users too, but only if `isOurs` knows the names of all its
 * files: /tmp or a home directory stays as it is.
 *
 * Throws when there is no such directory afterwards.
 */
export function makePrivateDirectory(directory: string, isOurs: (name: string) => boolean): void {
  const path = resolve(directory)
  if (makeMissing(path)) return
  if (readdirSync(path).every((name) => isOurs(name) || name === 'lost+found')) {
    closeToOthers(path, PRIVATE_DIRECTORY_MODE)
  }
}

/**
 * Closes a file to other users. It is done without opening the file, because closing the descriptor would end
 * the locks of this process on the file.
 */
export function protectFile(path: string): void {
  closeToOthers(path, PRIVATE_FILE_MODE)
}

/** Whether only its owner has rights to a file or a directory. */
export function isPrivate(path: string): boolean {
  return (statSync(path).mode & RIGHTS_OF_OTHERS) === 0
}

const RIGHTS_OF_OTHERS = 0o077

/**
 * Whether users can read a secret that the operator has not chosen: everybody, or the group of its file. A
 * group that root has given a file to was chosen, as for a secret that a container gets.
 */
export function isReadByOthers({ mode, uid }: Readonly<{ mode: number; uid: number }>): boolean {
  return (mode & 0o004) !== 0 || ((mode & 0o040) !== 0 && uid !== 0)
}

/** What the system knows of a file, or of the file that a link leads to. `undefined`: it cannot be seen. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

/** Whether everybody may write a file. */
export function isWrittenByAll({ mode }: Readonly<{ mode: number }>): boolean {
  return (mode & 0o002) !== 0
}

/**
 * Does nothing where that is not possible: another user owns the file, the file system has no such rights, or
 * the file is gone.
 */
function closeToOthers(path: string, mode: number): void {
  try {
    if (isPrivate(path)) return
    chmodSync(path, mode)
  } catch (error) {
    if (!NOT_POSSIBLE.has((error as NodeJS.ErrnoException).code ?? '')) throw error
  }
}

const NOT_POSSIBLE: ReadonlySet<string> = new Set([
  'ENOENT',
  'EPERM',
  'EROFS',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
])

/**
 * Makes a directory and its missing parents. It does not use `recursive`, which never ends below a directory
 * in which nothing can be created, such as /proc.
 *
 * @returns whether the directory was missing
 */
function makeMissing(directory: string): boolean {
  if (isDirectory(directory)) return false
  const parent = dirname(directory)
  if (parent !== directory) makeMissing(parent)
  try {
    mkdirSync(directory, PRIVATE_DIRECTORY_MODE)
    syncDirectory(parent)
    return true
  } catch (error) {
    // Another node that starts at the same time may have made a common parent.
    if (!isDirectory(directory)) throw error
    return false
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}
