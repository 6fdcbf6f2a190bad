/** Where the API is, and the credentials with which a command speaks to it. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
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
 * users can read is warned about, also that of a client certificate.
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
  const clientKey = find('COHORT_CLIENT_KEY_FILE')
  const tls = tlsOf(find('COHORT_CA_FILE'), find('COHORT_CLIENT_CERT_FILE'), clientKey)
  if (clientKey !== undefined) warnOfReaders('private key', clientKey.text, warn)
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
  const tls: TlsTexts = {
    ...(ca === undefined ? {} : { ca: readText(ca) }),
    ...(cert === undefined || key === undefined ? {} : { cert: readText(cert), key: readText(key) }),
  }
  const files = [ca, cert, key].filter((found) => found !== undefined)
  if (files.length > 0) requireUsable(tls, files)
  return tls
}

type TlsTexts = Readonly<{ ca?: string; cert?: string; key?: string }>

/** @throws SettingError when the files cannot be used, or not together */
function requireUsable(tls: TlsTexts, files: readonly Found[]): void {
  try {
    // A text without a certificate makes a context that trusts nobody.
    if (tls.ca !== undefined) new X509Certificate(tls.ca)
    createSecureContext(tls)
  } catch (cause) {
    const names = files.map(({ label, text }) => `${label} names ${text}`).join(', ')
    throw new SettingError(`${names}: they cannot be used for TLS (${(cause as Error).message})`)
  }
}

/** The key in a file: its only word. @throws SettingError */
export function readKeyFile(found: Found, warn: (text: string) => void): string {
  const token = tokenIn(readText(found), `${found.label} names ${found.text}, which`)
  warnOfReaders('key', found.text, warn)
  return token
}

/** A link counts as the file that it leads to. */
function warnOfReaders(what: string, path: string, warn: (text: string) => void): void {
  if (!isPrivate(path))
    warn(`other users can read the ${what} in ${path}: protect it with "chmod 600 ${path}"`)
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
