import { type FileHandle, open } from 'node:fs/promises'
import type { Group } from '../../group/group.ts'
import type { StoredMember } from '../api-client.ts'
import { CommandFailure } from '../failure.ts'
import type { BackupEnd, BackupHeader } from './backup-format.ts'
import { BackupRefusedError, readBackup } from './backup-reader.ts'

const CHUNK_BYTES = 256 * 1_024

/**
 * The file of a backup, opened so that it can be read more than once. If another file takes its name
 * meanwhile, the opened file is still the one that is read.
 */
export class BackupSource {
  readonly #path: string
  readonly #handle: FileHandle

  private constructor(path: string, handle: FileHandle) {
    this.#path = path
    this.#handle = handle
  }

  /** @throws CommandFailure when it cannot be read twice from its start */
  static async open(path: string): Promise<BackupSource> {
    const notAFile = `${path} is not a file: a backup is read twice, so save it as one first`
    if (path === '-') throw new CommandFailure(notAFile)
    const handle = await open(path, 'r').catch((error: Error) => {
      throw new CommandFailure(`${path} cannot be read (${error.message})`)
    })
    if ((await handle.stat()).isFile()) return new BackupSource(path, handle)
    await handle.close()
    throw new CommandFailure(notAFile)
  }

  /**
   * Reads and checks the whole file, to its last byte.
   *
   * @throws CommandFailure when it is damaged or cut off, goes on after its end, or is no backup
   */
  async check(onGroup: () => void): Promise<{ header: BackupHeader; end: BackupEnd }> {
    let header: BackupHeader | undefined
    let end: BackupEnd | undefined
    for await (const entry of this.#entries()) {
      if (entry.kind === 'group') onGroup()
      else if (entry.kind === 'header') header = entry.header
      else if (entry.kind === 'end') end = entry.end
    }
    return { header: header!, end: end! }
  }

  /** The groups, in the order of their ids. They are checked again while they are read. */
  async *groups(): AsyncGenerator<Group> {
    for await (const entry of this.#entries()) if (entry.kind === 'group') yield entry.group
  }

  /** The members, group by group. They are checked again while they are read. */
  async *members(): AsyncGenerator<StoredMember> {
    for await (const entry of this.#entries()) if (entry.kind === 'member') yield entry.member
  }

  close(): Promise<void> {
    return this.#handle.close()
  }

  /** The bytes from the start. No stream of Node.js: it would close the file when its reader stops early. */
  async *#chunks(): AsyncGenerator<Buffer> {
    for (let position = 0; ; ) {
      const { buffer, bytesRead } = await this.#handle.read(Buffer.allocUnsafe(CHUNK_BYTES), { position })
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
      position += bytesRead
    }
  }

  async *#entries(): ReturnType<typeof readBackup> {
    try {
      yield* readBackup(this.#chunks())
    } catch (error) {
      if (!(error instanceof BackupRefusedError)) throw error
      throw new CommandFailure(`${this.#path} is refused: ${error.message}`, undefined, { cause: error })
    }
  }
}
