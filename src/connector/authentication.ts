/** How a connector finds out who its callers are: puts the parts of `src/access` together. */
import type { Logger } from 'pino'
import { parseAdminKeys } from '../access/admin-keys.ts'
import type { Authenticator } from '../access/authenticator.ts'
import { parseClientRoles } from '../access/certificate-check.ts'
import { CredentialCheck } from '../access/credential-check.ts'
import { KeyCache } from '../access/key-cache.ts'
import { KeyCheck } from '../access/key-check.ts'
import type { KeyStore } from '../access/key-store.ts'
import { KeyUses } from '../access/key-uses.ts'
import type { TokenCheck, TokenCheckOptions } from '../access/token-check.ts'
import { AccessFileError, WatchedFile, type WatchedFileOptions } from '../access/watched-file.ts'
import { type AccessSettings, hasAuthentication } from '../config/access-settings.ts'
import { SettingError } from '../config/setting-error.ts'
import { isLoopback } from '../process/address.ts'
import type { Clock } from '../process/clock.ts'

export type Authentication = Readonly<{
  /** `undefined`: everyone may do everything. */
  authenticator: Authenticator | undefined
  /** Works in the background until `close`. Never rejects. */
  run: () => Promise<void>
  close: () => void
}>

export type AuthenticationOptions = Readonly<{
  host: string
  keys: KeyStore
  clock: Clock
  /** Milliseconds since 1970. */
  wallClockMs: () => number
  logger: Logger
}>

/** Rejects with a SettingError when a file that the settings name cannot be used. */
export async function openAuthentication(
  access: AccessSettings,
  { host, keys, clock, wallClockMs, logger }: AuthenticationOptions,
): Promise<Authentication> {
  if (!hasAuthentication(access)) {
    sayOpen(host, logger)
    return { authenticator: undefined, run: async () => {}, close: () => {} }
  }
  const surroundings = { clock, logger }
  const adminKeys = open('ADMIN_KEY_FILE', access.adminKeyFile, {
    subject: 'the admin keys',
    parse: parseAdminKeys,
    ...surroundings,
  })
  const clientRoles = open('CLIENT_ROLES_FILE', access.clientRolesFile, {
    subject: 'the roles of client certificates',
    parse: parseClientRoles,
    ...surroundings,
  })
  const uses = new KeyUses(keys, { clock, logger })
  const keyCheck = new KeyCheck({
    cache: new KeyCache(keys, clock),
    adminHashes: () => adminKeys?.value ?? [],
    wallClockMs,
    onUse: (keyId, lastUsedAtMs, usedAtMs) => uses.note(keyId, lastUsedAtMs, usedAtMs),
  })
  const { oidc } = access
  const tokens = oidc && (await newTokenCheck({ ...oidc, clock, logger, wallClockMs }))
  return {
    authenticator: new CredentialCheck({
      keys: keyCheck,
      tokens,
      clientRoles: clientRoles && (() => clientRoles.value),
    }),
    run: () => uses.run(),
    close: () => {
      uses.close()
      adminKeys?.close()
      clientRoles?.close()
    },
  }
}

/** Its code is loaded only here: most connectors have no issuer of tokens. */
async function newTokenCheck(options: TokenCheckOptions): Promise<TokenCheck> {
  const { TokenCheck: OfIssuer } = await import('../access/token-check.ts')
  return new OfIssuer(options)
}

/** @throws SettingError when the file cannot be used */
function open<T>(
  variable: string,
  path: string | undefined,
  options: Omit<WatchedFileOptions<T>, 'path'>,
): WatchedFile<T> | undefined {
  if (path === undefined) return undefined
  try {
    return new WatchedFile({ path, ...options })
  } catch (error) {
    if (error instanceof AccessFileError) throw new SettingError(`${variable}: ${error.message}`)
    throw error
  }
}

function sayOpen(host: string, logger: Logger): void {
  if (isLoopback(host)) {
    logger.info({ host }, 'the API has no authentication: every program of this machine may do everything')
  } else {
    logger.warn(
      { host },
      'the API has no authentication (INSECURE): everyone who reaches it may do everything',
    )
  }
}
