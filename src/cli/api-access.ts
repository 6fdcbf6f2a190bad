/** Where the API is, and the credentials with which a command speaks to it. */
import { readFileSync } from 'node:fs'
import type { Tls } from '../../client/src/index.ts'
import { idOfToken, TOKEN_START } from '../access/key-token.ts'
import type { Environment } from '../config/environment.ts'
import { type Found, finder } from '../config/lookup.ts'
import { SettingError } from '../config/setting-error.ts'
import { readUrl } from '../config/settings.ts'
import { isPrivate } from '../process/private-files.ts'
import type { ApiCredentials } from './api-client.ts'
import type { Context } from './context.ts'
import { findLogin } from './logins.ts'

/** The options that say where the API is, and who calls. */
export type ApiFlags = Readonly<{
  url?: readonly string[]
  keyFile?: string
  caFile?: string
  clientCertFile?: string
  clientKeyFile?: string
}>

export type ApiAccess = Readonly<{
  /** Where the API is, for messages: all URLs. */
  url: string
  urls: readonly string[]
  credentials: ApiCredentials
}>

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
  const urls = urlsOf(flags, environment)
  const { keyFile, caFile, clientCertFile, clientKeyFile } = flags
  const find = finder({ keyFile, caFile, clientCertFile, clientKeyFile }, environment)
  const found = find('COHORT_KEY_FILE')
  const warn = (text: string) => stderr.write(`cohort: ${text}\n`)
  const login = (url: string) => (usesLogin ? findLogin(environment.variables, url, warn) : undefined)
  const key = found === undefined ? undefined : readKeyFile(found, warn)
  const tokens = new Map(urls.map((url) => [url, key ?? login(url)]))
  const tls = tlsOf(find('COHORT_CA_FILE'), find('COHORT_CLIENT_CERT_FILE'), find('COHORT_CLIENT_KEY_FILE'))
  return { url: urls.join(', '), urls, credentials: { tokenFor: (url) => tokens.get(url), tls } }
}

/** Where the connectors are that the flags name. @throws SettingError */
export function urlsOf({ url }: Pick<ApiFlags, 'url'>, environment: Environment): string[] {
  const urls = (url ?? [undefined]).map((text) => readUrl(text, environment))
  if (new Set(urls).size === urls.length) return urls
  throw new SettingError(`--url must name each connector once, got ${urls.join(', ')}`)
}

function tlsOf(ca: Found | undefined, cert: Found | undefined, key: Found | undefined): Tls {
  const [there, missing] = cert === undefined ? [key, 'a certificate'] : [cert, 'a private key']
  if ((cert === undefined) !== (key === undefined)) {
    throw new SettingError(
      `${there?.label} needs ${missing} too: name both --client-cert-file and --client-key-file`,
    )
  }
  return {
    ...(ca === undefined ? {} : { ca: readText(ca) }),
    ...(cert === undefined || key === undefined ? {} : { cert: readText(cert), key: readText(key) }),
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
