/** Where the API is, and the credentials with which a command speaks to it. */
import { readFileSync } from 'node:fs'
import { idOfToken, TOKEN_START } from '../access/key-token.ts'
import { type Found, finder } from '../config/lookup.ts'
import { SettingError } from '../config/setting-error.ts'
import { readUrl } from '../config/settings.ts'
import { isPrivate } from '../process/private-files.ts'
import type { ApiCredentials } from './api-client.ts'
import type { Context } from './context.ts'
import { findLogin } from './logins.ts'

/** The options of `addApiOptions`. */
export type ApiFlags = Readonly<{ url?: string; keyFile?: string; caFile?: string }>

export type ApiAccess = Readonly<{ url: string; credentials: ApiCredentials }>

/**
 * The API that the flags name, with the credentials of the key file, else of a login. A key file that other
 * users can read is warned about.
 *
 * @throws SettingError when a file cannot be used
 */
export function apiAccess(
  { environment, stderr }: Omit<Context, 'stdout'>,
  flags: ApiFlags,
  { usesLogin = true }: Readonly<{ usesLogin?: boolean }> = {},
): ApiAccess {
  const url = readUrl(flags.url, environment)
  const find = finder({ keyFile: flags.keyFile, caFile: flags.caFile }, environment)
  const keyFile = find('COHORT_KEY_FILE')
  const caFile = find('COHORT_CA_FILE')
  const warn = (text: string) => stderr.write(`cohort: ${text}\n`)
  const login = () => (usesLogin ? findLogin(environment.variables, url, warn) : undefined)
  const token = keyFile === undefined ? login() : readKeyFile(keyFile, warn)
  return {
    url,
    credentials: {
      ...(token === undefined ? {} : { token }),
      ...(caFile === undefined ? {} : { ca: readText(caFile) }),
    },
  }
}

/** The key in a file: its only word. @throws SettingError */
export function readKeyFile(found: Found, warn: (text: string) => void): string {
  const token = tokenIn(readText(found), `${found.label} names ${found.text}, which`)
  if (!isPrivate(found.text)) {
    warn(`other users can read the key in ${found.text}: protect it with "chmod 600 ${found.text}"`)
  }
  return token
}

/**
 * The key in a text. `subject` begins the sentence of an error.
 *
 * @throws SettingError whose message holds nothing of the text
 */
export function tokenIn(text: string, subject: string): string {
  const token = text.trim()
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new SettingError(`${subject} must hold one API key or token and nothing else`)
  }
  if (token.startsWith(TOKEN_START) && idOfToken(token) === undefined) {
    throw new SettingError(`${subject} holds an API key that is cut off or mistyped`)
  }
  return token
}

function readText({ text: path, label }: Found): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    throw new SettingError(`${label} names ${path}, which cannot be read (${code ?? message})`)
  }
}
