/** Where a backup goes: to a file that is whole or not there, or to stdout. */
import { open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CommandFailure } from '../failure.ts'

export interface BackupSink {
  /** For messages: the path, or `stdout`. */
  readonly name: string
  /** What is left after `discard`, in a clause. */
  readonly discarded: string
  write(bytes: Buffer): Promise<void>
  /** Makes what was written last: resolves once it would survive a power cut. */
  commit(): Promise<void>
  /** Takes back what was written, as far as that is possible. */
  discard(): Promise<void>
}

/**
 * A file that appears under its name with `commit` and not before: until then it is written as
 * `PATH.partial`.
 *
 * @throws CommandFailure when there is a file of either name, unless `isForced`
 */
export async function openBackupFile(path: string, isForced: boolean): Promise<BackupSink> {
  const partialPath = `${path}.partial`
  await refuseExisting(path, isForced)
  let isInPlace = false
  const handle = await open(partialPath, isForced ? 'w' : 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw new CommandFailure(`${path} cannot be written (${error.message})`)
    throw new CommandFailure(
      `${partialPath} exists: another backup is writing it, or one was killed. In the second case remove it, or add --force`,
    )
  })
  return {
    name: path,
    get discarded() {
      return isInPlace
        ? `${path} is whole and in its place, but may not survive a power cut`
        : `${path} was not written`
    },
    write: async (bytes) => void (await handle.writeFile(bytes)),
    commit: async () => {
      await refuseExisting(path, isForced)
      await handle.sync()
      await handle.close()
      const directory = await open(dirname(path), 'r')
      try {
        await rename(partialPath, path)
        isInPlace = true
        // The new name is the directory's: without this, a power cut could take it back.
        await directory.sync()
      } finally {
        await directory.close()
      }
    },
    discard: async () => {
      await handle.close()
      await rm(partialPath, { force: true })
    },
  }
}

/** Stdout, for a pipe. A reader that has gone away is a failure like a full disk. */
export function stdoutSink(stdout: NodeJS.WriteStream): BackupSink {
  // Else the error of a write would also end the process, with a stack.
  stdout.on('error', () => undefined)
  return {
    name: 'stdout',
    discarded: 'what was written to stdout has no end, and a restore refuses it',
    write: (bytes) =>
      new Promise((resolve, reject) => {
        stdout.write(bytes, (error) => (error ? reject(error) : resolve()))
      }),
    commit: async () => undefined,
    discard: async () => undefined,
  }
}

async function refuseExisting(path: string, isForced: boolean): Promise<void> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (found?.isDirectory()) throw new CommandFailure(`${path} is a directory: name the file to write`)
  if (found !== undefined && !isForced)
    throw new CommandFailure(`${path} exists: choose another name, or add --force to replace it`)
}
