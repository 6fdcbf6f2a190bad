import { lstatSync } from 'node:fs'
import { CommandFailure } from '../failure.ts'
import { WholeFile } from '../whole-file.ts'

/** A file that does not exist yet. Only its owner may read it. */
export class NewFile {
  readonly path: string
  readonly #file: WholeFile

  private constructor(path: string, file: WholeFile) {
    this.path = path
    this.#file = file
  }

  /**
   * Begins the file, so that what is wrong with its path is noticed before a key is made.
   *
   * @throws CommandFailure
   */
  static async open(path: string): Promise<NewFile> {
    if (exists(path)) throw new CommandFailure(`${path} exists, and is not replaced`)
    try {
      return new NewFile(path, await WholeFile.create(path))
    } catch (cause) {
      throw new CommandFailure(`${path} cannot be written: ${(cause as Error).message}`, undefined, { cause })
    }
  }

  /**
   * @param consequence what follows if it fails, as the end of a sentence
   * @throws CommandFailure when the file cannot be written
   */
  async write(text: string, consequence = 'nothing was done'): Promise<void> {
    let reason = 'it exists'
    try {
      await this.#file.write(text)
      if (await this.#file.commit({ mayReplace: false })) return
    } catch (error) {
      reason = (error as Error).message
    }
    throw new CommandFailure(`${this.path} cannot be written (${reason}), and ${consequence}`)
  }

  /** Gives up a file that was not written. */
  discard(): Promise<void> {
    return this.#file.discard()
  }
}

/** A link that leads nowhere exists too: no file can be given its name. */
function exists(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch {
    return false
  }
}
