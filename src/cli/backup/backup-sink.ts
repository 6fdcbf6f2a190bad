/** Where a backup goes: to a file, which appears only when it is complete, or to another program. */
import { isUtf8 } from 'node:buffer'
import { constants, openSync, type Stats } from 'node:fs'
import { type FileHandle, open, readlink, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { dirname, isAbsolute } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StreamDestination } from '../../process/destination.ts'
import { escapeBytes } from '../../process/raw-text.ts'
import { CommandFailure } from '../failure.ts'
import type { Output } from '../output.ts'
import { WholeFile } from '../whole-file.ts'

export interface BackupSink {
  /** The path, or `stdout`, for messages. */
  readonly name: string
  /** What is left after `discard`, as a clause for a message. */
  readonly discarded: string
  write(bytes: Buffer): Promise<void>
  /** Ends the backup. For a file: resolves when the file would survive a power cut. */
  commit(): Promise<void>
  /** Removes what was written, if that is possible. May be called at any time. */
  discard(): Promise<void>
}

export type SinkOptions = Readonly<{
  /** Whether an existing file may be replaced. */
  isForced: boolean
  stdout: Pick<Output, 'writeAll'>
  /** When it aborts, waiting for a reader ends. */
  signal: AbortSignal
}>

/**
 * Opens what `--out` names. A symbolic link is followed. Only a plain file is ever replaced: a named pipe and
 * a character device (/dev/null, a tape) are written to like stdout, and anything else is refused.
 *
 * @param path `-` is stdout
 * @throws CommandFailure when it cannot be written, or the file exists and `isForced` is false
 */
export async function openBackupSink(
  path: string,
  { isForced, stdout, signal }: SinkOptions,
): Promise<BackupSink> {
  if (path === '-') return stdoutSink(stdout)
  try {
    const found = await statsOf(path)
    if (found === undefined || found.isFile()) return await fileSink(path, isForced)
    if (found.isFIFO()) return pipeSink(path, await openPipe(path, signal))
    if (found.isCharacterDevice()) return deviceSink(path, await open(path, 'w'))
    if (found.isDirectory()) throw new CommandFailure(`${path} is a directory: name the file to write`)
    throw new CommandFailure(`${path} is no file: name the file to write`)
  } catch (error) {
    if (signal.aborted || error instanceof CommandFailure) throw error
    throw new CommandFailure(`${path} cannot be written (${(error as Error).message})`)
  }
}

async function fileSink(path: string, isForced: boolean): Promise<BackupSink> {
  const target = await followLinks(path)
  const taken = `${path} exists: choose another name, or add --force to replace it`
  // Checked now, so that the user does not wait for all groups first.
  if (!isForced && (await statsOf(target)) !== undefined) throw new CommandFailure(taken)
  const file = await WholeFile.create(target)
  return {
    name: path,
    get discarded() {
      return file.isInPlace
        ? `${path} is whole and in its place, but may not survive a power cut`
        : `${path} was not written`
    },
    write: (bytes) => file.write(bytes),
    commit: async () => {
      if (!(await file.commit({ mayReplace: isForced }))) throw new CommandFailure(taken)
    },
    discard: () => file.discard(),
  }
}

/** If the reader goes away, that is a failure like a full disk. */
function stdoutSink(stdout: Pick<Output, 'writeAll'>): BackupSink {
  return {
    name: 'stdout',
    discarded: unfinished('stdout'),
    write: (bytes) => stdout.writeAll(bytes),
    commit: async () => undefined,
    discard: async () => undefined,
  }
}

function pipeSink(path: string, socket: Socket): BackupSink {
  const destination = new StreamDestination(socket)
  return {
    name: path,
    discarded: unfinished(path),
    write: (bytes) => destination.writeAll(bytes),
    commit: () => new Promise((resolve) => socket.end(resolve)),
    discard: async () => void socket.destroy(),
  }
}

function deviceSink(path: string, handle: FileHandle): BackupSink {
  return {
    name: path,
    discarded: unfinished(path),
    write: (bytes) => handle.writeFile(bytes),
    commit: () => handle.close(),
    discard: () => handle.close(),
  }
}

function unfinished(name: string): string {
  return `what was written to ${name} has no end, and a restore refuses it`
}

/** The pause between two checks whether a named pipe has a reader. */
const READER_PAUSE_MS = 100

/**
 * Opens a named pipe when it has a reader. It polls, because an open that blocks could not be interrupted.
 */
async function openPipe(path: string, signal: AbortSignal): Promise<Socket> {
  while (true) {
    try {
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      return new Socket({ fd, readable: false, writable: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENXIO') throw error
      await sleep(READER_PAUSE_MS, undefined, { signal })
    }
  }
}

/** As many links as Linux follows. */
const LINKS_MAX = 40

/** Where a path leads through its symbolic links. Nothing needs to exist there. */
async function followLinks(path: string): Promise<string> {
  let target = path
  for (let count = 0; count < LINKS_MAX; count += 1) {
    const link = await readlink(target, 'buffer').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EINVAL' || error.code === 'ENOENT') return undefined
      throw error
    })
    if (link === undefined) return target
    if (!isUtf8(link))
      throw new CommandFailure(`${target} is a link to ${escapeBytes(link)}, which is not UTF-8 text`)
    // Not normalised: `..` after a link to a directory means the parent of the link's target.
    target = isAbsolute(link.toString()) ? link.toString() : `${dirname(target)}/${link}`
  }
  throw new CommandFailure(`${path} leads through too many links`)
}

function statsOf(path: string): Promise<Stats | undefined> {
  return stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
}
