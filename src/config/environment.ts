import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { SettingError } from './setting-error.ts'

/** What a process finds around it, by variable name. The environment wins over the `.env` file. */
export type Environment = Readonly<{
  variables: Readonly<{ [name: string]: string | undefined }>
  dotEnv: Readonly<{ [name: string]: string | undefined }>
}>

/**
 * Reads the environment and the `.env` file of `directory` (default: the working directory), once, into
 * frozen objects. The only place that looks at `process.env`.
 *
 * @throws SettingError when there is a `.env` that cannot be read
 */
export function readEnvironment(directory: string = process.cwd()): Environment {
  return Object.freeze({
    variables: Object.freeze({ ...process.env }),
    dotEnv: Object.freeze(readDotEnv(join(directory, '.env'))),
  })
}

function readDotEnv(path: string): { [name: string]: string | undefined } {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return {}
    throw new SettingError(
      `${path} cannot be read (${code ?? String(error)}): make it a readable file, or remove it`,
      {
        cause: error,
      },
    )
  }
}
