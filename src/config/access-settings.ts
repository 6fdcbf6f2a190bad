/** The settings that say who may use the public API. */
import { parseRoleRules, type RoleRule, RoleRuleError } from '../access/role-rules.ts'
import { isLoopback } from '../process/address.ts'
import { refuseExposure } from './exposure.ts'
import { absolutePath, type Find, mismatch, required } from './lookup.ts'
import { SettingError } from './setting-error.ts'

/** An issuer of tokens, and which of its tokens count. */
export type OidcSettings = Readonly<{
  /** Its URL, without a slash at the end unless the issuer's own name has one. */
  issuer: string
  audience: string
  algorithms: readonly string[]
  /** Where a token has the values that the rules name: names of members, from the outermost. */
  roleClaim: readonly string[]
  rules: readonly RoleRule[]
}>

/** How callers of the public API show who they are. If nothing is given, everyone may do everything. */
export type AccessSettings = Readonly<{
  /** The file with the hashes of the admin keys of this connector. Absolute. */
  adminKeyFile: string | undefined
  oidc: OidcSettings | undefined
  /** The file that gives roles to the subjects of client certificates. Absolute. */
  clientRolesFile: string | undefined
}>

/** Signatures by a private key. With a shared secret, whoever can check a token could also make one. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']
const ALGORITHMS_DEFAULT = ['RS256', 'PS256', 'ES256', 'EdDSA']

/**
 * Reads them, and refuses a connector that other machines can reach and that asks nobody who they are, unless
 * INSECURE allows it.
 *
 * @throws SettingError
 */
export function readAccessSettings(
  find: Find,
  { host, asksForCertificates }: Readonly<{ host: string; asksForCertificates: boolean }>,
): AccessSettings {
  const access = {
    adminKeyFile: readPath(find, 'ADMIN_KEY_FILE'),
    oidc: readOidc(find),
    clientRolesFile: readPath(find, 'CLIENT_ROLES_FILE'),
  }
  if (access.clientRolesFile !== undefined && !asksForCertificates) {
    throw new SettingError(
      `${find('CLIENT_ROLES_FILE')!.label} needs TLS_CLIENT_CA_FILE: without it no client shows a certificate`,
    )
  }
  if (!hasAuthentication(access)) {
    refuseExposure(find, {
      host,
      danger: 'anyone could read and change all groups',
      remedy:
        'set ADMIN_KEY_FILE to a file with the hash of an admin key ("cohort key hash --new FILE" makes both), or OIDC_ISSUER',
    })
  }
  return Object.freeze(access)
}

/** Whether callers must show who they are. */
export function hasAuthentication({ adminKeyFile, oidc, clientRolesFile }: AccessSettings): boolean {
  return [adminKeyFile, oidc, clientRolesFile].some((setting) => setting !== undefined)
}

/**
 * Whether nobody is asked who they are because only programs of this machine can connect, and the operator
 * has not allowed more (INSECURE).
 */
export function isLocalOnly({
  host,
  access,
  isInsecure,
}: Readonly<{ host: string; access: AccessSettings; isInsecure: boolean }>): boolean {
  return isLoopback(host) && !hasAuthentication(access) && !isInsecure
}

/** An absolute path. An empty flag, like an empty variable, means that it is not set. @throws SettingError */
export function readPath(find: Find, variable: 'ADMIN_KEY_FILE' | 'CLIENT_ROLES_FILE'): string | undefined {
  const found = find(variable)
  if (found === undefined || found.text === '') return undefined
  return absolutePath(required(found, variable, 'a file'))
}

function readOidc(find: Find): OidcSettings | undefined {
  const issuer = readIssuer(find)
  if (issuer === undefined) return undefined
  return Object.freeze({
    issuer,
    audience: required(
      find('OIDC_AUDIENCE'),
      'OIDC_AUDIENCE',
      'the audience for which the issuer makes tokens for this API',
    ).text.trim(),
    algorithms: readAlgorithms(find),
    roleClaim: (find('OIDC_ROLE_CLAIM')?.text.trim() || 'roles').split('.'),
    rules: readRules(find),
  })
}

/** Tokens of an issuer that is reached without TLS could be anyone's; only one on this machine may be. */
function readIssuer(find: Find): string | undefined {
  const found = find('OIDC_ISSUER')
  if (found === undefined || found.text === '') return undefined
  const url = URL.parse(found.text.trim())
  const isLocal = url?.protocol === 'http:' && ['127.0.0.1', 'localhost', '[::1]'].includes(url.hostname)
  if (url === null || !(url.protocol === 'https:' || isLocal) || url.search + url.hash !== '') {
    throw mismatch(found, 'the URL of an issuer, with https')
  }
  return found.text.trim()
}

function readAlgorithms(find: Find): readonly string[] {
  const found = find('OIDC_ALGORITHMS')
  if (found === undefined || found.text === '') return ALGORITHMS_DEFAULT
  const names = found.text.split(/[\s,]+/).filter((name) => name !== '')
  if (names.length === 0 || names.some((name) => !ALGORITHMS.includes(name))) {
    throw mismatch(found, `some of ${ALGORITHMS.join(', ')}`)
  }
  return names
}

function readRules(find: Find): readonly RoleRule[] {
  const found = required(
    find('OIDC_ROLES'),
    'OIDC_ROLES',
    'who gets which role, like "platform-admins -> admin, team-a -> writer:team-a/"',
  )
  try {
    return parseRoleRules(found.text.split(/[,\n]/))
  } catch (error) {
    if (!(error instanceof RoleRuleError)) throw error
    throw new SettingError(`${found.label} cannot be used: ${error.message}`)
  }
}
