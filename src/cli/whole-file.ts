import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { type FileHandle, link, open, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * A file that appears under its name whole, or not at all. Until then it is written beside it, under a name
 * that no other process uses. However this process ends, short of a kill, nothing is left of a file that was
 * not committed. Its owner alone may read it.
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

  /** Begins a file. Rejects when nothing can be written beside `path`. */
  static async create(path: string): Promise<WholeFile> {
    const partialPath = `${path}.partial-${randomBytes(4).toString('hex')}`
    return new WholeFile(path, partialPath, await open(partialPath, 'wx', 0o600))
  }

  /**
   * Whether the file is under its name. After a commit that failed it may be, and may not survive a power
   * cut.
   */
  get isInPlace(): boolean {
    return this.#isInPlace
  }

  async write(bytes: Buffer | string): Promise<void> {
    await this.#handle.writeFile(bytes)
  }

  /**
   * Puts the file in its place. Resolves once it would survive a power cut.
   *
   * @returns `false`: a file of that name is there and must not be replaced; discard this one
   */
  async commit({ mayReplace }: Readonly<{ mayReplace: boolean }>): Promise<boolean> {
    await this.#handle.sync()
    const directory = await open(dirname(this.#path), 'r')
    try {
      if (mayReplace) await rename(this.#partialPath, this.#path)
      else if (!(await putInPlace(this.#partialPath, this.#path))) return false
      this.#isInPlace = true
      process.off('exit', this.#onExit)
      // The name is the directory's: without this, a power cut could take it back.
      await directory.sync()
      await this.#handle.close()
      return true
    } finally {
      await directory.close()
    }
  }

  /** Takes the file back, unless it is in its place. May be called at any time. */
  async discard(): Promise<void> {
    await this.#handle.close()
    if (this.#isInPlace) return
    await rm(this.#partialPath, { force: true })
    process.off('exit', this.#onExit)
  }
}

/** Gives a file its name, if nothing has that name. */
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

/** What file systems without hard links answer. */
const NO_LINKS: ReadonlySet<string> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
