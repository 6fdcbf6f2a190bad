import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A file that appears under its name only when it is whole. Until then it has another name in the same
 * directory, which no other process uses. When this process ends, a file that was not committed is removed,
 * unless the process was killed. Only the owner may read the file.
 */
export class WholeFile {
  readonly #path: string
  readonly #partialPath: string
  readonly #handle: FileHandle
  readonly #onExit: () => void
  #isInPlace = false

  private constructor(path: string, partialPath: string, handle: FileHandle) {
    this.#path = path
    this.#partialPath = partialPath
    this.#handle = handle
    this.#onExit = () => rmSync(partialPath, { force: true })
    process.on('exit', this.#onExit)
  }

  /** Writes a file whole, in the place of one of that name. Resolves when it would survive a power cut. */
  static async replace(path: string, text: string): Promise<void> {
    const file = await WholeFile.create(path)
    try {
      await file.write(text)
      await file.commit({ mayReplace: true })
    } finally {
      await file.discard()
    }
  }

  /** Begins a file. Rejects when no file can be made in the directory of `path`. */
  static async create(path: string): Promise<WholeFile> {
    const partialPath = `${path}.partial-${randomBytes(4).toString('hex')}`
    return new WholeFile(path, partialPath, await open(partialPath, 'wx', 0o600))
  }

  /**
   * Whether the file has its name. That can also be so after a commit that failed. Then the name may not
   * survive a power cut.
   */
  get isInPlace(): boolean {
    return this.#isInPlace
  }

  async write(bytes: Buffer | string): Promise<void> {
    await this.#handle.writeFile(bytes)
  }

  /**
   * Gives the file its name. Resolves when it would survive a power cut.
   *
   * @returns `false`: a file of that name exists and must not be replaced; discard this one
   */
  async commit({ mayReplace }: Readonly<{ mayReplace: boolean }>): Promise<boolean> {
    await this.#handle.sync()
    const directory = await open(dirname(this.#path), 'r')
    try {
      if (mayReplace) await rename(this.#partialPath, this.#path)
      else if (!(await putInPlace(this.#partialPath, this.#path))) return false
      this.#isInPlace = true
      process.off('exit', this.#onExit)
      // The name is stored in the directory. Without this sync it could be lost in a power cut.
      await directory.sync()
      await this.#handle.close()
      return true
    } finally {
      await directory.close()
    }
  }

  /** Removes the file, unless it has its name. May be called at any time. */
  async discard(): Promise<void> {
    await this.#handle.close()
    if (this.#isInPlace) return
    await rm(this.#partialPath, { force: true })
    process.off('exit', this.#onExit)
  }
}

/** Gives a file its name, if no other file has that name. */
async function putInPlace(partialPath: string, path: string): Promise<boolean> {
  try {
    // Unlike a rename, a link never replaces a file.
    await link(partialPath, path)
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!NO_LINKS.has(code)) throw error
    if (await exists(path)) return false
    await rename(partialPath, path)
  }
  await rm(partialPath, { force: true })
  return true
}

/** The errors of file systems without hard links. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
