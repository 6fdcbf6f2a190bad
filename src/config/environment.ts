import { isUtf8 } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { escapeBytes, REPLACEMENT_CHARACTER, readRawList } from '../process/raw-text.ts'

/** The text of each variable, by its name. */
export type Variables = Readonly<{ [name: string]: string | undefined }>

/** The variables of a process. Those of the environment win over those of the `.env` file. */
export type Environment = Readonly<{
  variables: Variables
  /** Variables whose text is not UTF-8, with the invalid bytes escaped: `caf\xe9`. */
  garbled?: Variables
  dotEnv: Variables
  /**
   * Why `.env` could not be read, in a sentence. It is an error only if a setting is looked for in `.env`.
   */
  dotEnvProblem?: string
}>

/**
 * Reads the environment and the `.env` file of `directory` (default: the working directory) once, into frozen
 * objects. No other code reads `process.env`. A directory `.env` is ignored: virtual environments of Python
 * often have that name.
 */
export function readEnvironment(directory: string = process.cwd()): Environment {
  const variables = Object.freeze({ ...process.env })
  const garbled = Object.freeze(findGarbled(variables))
  return Object.freeze({ variables, garbled, ...readDotEnv(join(directory, '.env')) })
}

/** The environment of a process that this one starts: its own, with these variables beside or instead. */
export function environmentOfChild(more: Variables): Variables {
  return { ...process.env, ...more }
}

function findGarbled(variables: Variables): Variables {
  const suspects = Object.entries(variables).filter(([, text]) => text?.includes(REPLACEMENT_CHARACTER))
  if (suspects.length === 0) return {}
  const raw = readRawList('environ')
  return Object.fromEntries(
    suspects.flatMap(([name, text]) => {
      const start = Buffer.from(`${name}=`)
      const bytes = raw
        ?.find((entry) => entry.subarray(0, start.length).equals(start))
        ?.subarray(start.length)
      if (bytes !== undefined && isUtf8(bytes)) return []
      return [[name, bytes === undefined ? text : escapeBytes(bytes)]]
    }),
  )
}

function readDotEnv(path: string): Pick<Environment, 'dotEnv' | 'dotEnvProblem'> {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EISDIR') return { dotEnv: Object.freeze({}) }
    const problem = `${path} cannot be read (${code ?? String(error)}): make it a readable file, or remove it`
    return { dotEnv: Object.freeze({}), dotEnvProblem: problem }
  }
  if (!isUtf8(bytes)) {
    const line = lineOfGarbledText(bytes)
    const problem = `${path} is not UTF-8 text (line ${line}): save it as UTF-8, or remove it`
    return { dotEnv: Object.freeze({}), dotEnvProblem: problem }
  }
  // Editors on Windows may write a byte order mark first. It is not part of the first name.
  return { dotEnv: Object.freeze(parseEnv(bytes.toString().replace(/^\ufeff/, ''))) }
}

/** The number, from 1, of the first line that is not UTF-8. */
function lineOfGarbledText(bytes: Buffer): number {
  let line = 1
  for (let start = 0; ; line += 1) {
    const end = bytes.indexOf('\n', start)
    if (end === -1 || !isUtf8(bytes.subarray(start, end))) return line
    start = end + 1
  }
}
