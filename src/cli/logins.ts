/**
 * The keys that `cohort login` keeps, one for each connector: in a file in the user's directory for settings,
 * which only the user may read.
 */
import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join } from 'node:path'
import type { Variables } from '../config/environment.ts'
import { SettingError } from '../config/setting-error.ts'
import { isPrivate, makePrivateDirectory } from '../process/private-files.ts'
import { WholeFile } from './whole-file.ts'

/** By the URL of the API, the key for it. */
type Logins = Readonly<{ [url: string]: string }>

/** The file, as the XDG base directory specification places it. @throws SettingError */
export function loginFile({ XDG_CONFIG_HOME, HOME }: Variables): string {
  if (XDG_CONFIG_HOME && isAbsolute(XDG_CONFIG_HOME)) return join(XDG_CONFIG_HOME, 'cohort', 'logins.json')
  if (HOME) return join(HOME, '.config', 'cohort', 'logins.json')
  throw new SettingError('HOME is not set: "cohort login" keeps its keys in a directory there')
}

/** The key for an API. `undefined`: there was no login for it. @throws SettingError */
export function findLogin(
  variables: Variables,
  url: string,
  warn: (text: string) => void,
): string | undefined {
  if (!variables.XDG_CONFIG_HOME && !variables.HOME) return undefined
  const file = loginFile(variables)
  const token = readLogins(file)[url]
  if (token !== undefined && !isPrivate(file)) {
    warn(`other users can read the keys in ${file}: protect it with "chmod 600 ${file}"`)
  }
  return token
}

/** Keeps the key for an API, in place of the one before. */
export async function saveLogin(file: string, url: string, token: string): Promise<void> {
  await writeLogins(file, { ...readLogins(file), [url]: token })
}

/** Forgets the key for an API. @returns whether there was one */
export async function removeLogin(file: string, url: string): Promise<boolean> {
  const { [url]: removed, ...rest } = readLogins(file)
  if (removed === undefined) return false
  await writeLogins(file, rest)
  return true
}

function readLogins(file: string): Logins {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return {}
    throw new SettingError(`the logins in ${file} cannot be read (${code ?? message})`)
  }
  const logins = parsed(text)
  if (logins !== undefined) return logins
  throw new SettingError(`${file} is damaged: remove it, and use "cohort login" again`)
}

function parsed(text: string): Logins | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isLogins =
      typeof value === 'object' &&
      value !== null &&
      Object.values(value).every((token) => typeof token === 'string')
    return isLogins ? (value as Logins) : undefined
  } catch {
    return undefined
  }
}

async function writeLogins(path: string, logins: Logins): Promise<void> {
  makePrivateDirectory(dirname(path), (name) => name.startsWith('logins.json'))
  await WholeFile.replace(path, `${JSON.stringify(logins, undefined, 2)}\n`)
}
