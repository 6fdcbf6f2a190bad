/** Looks settings up, and names a setting that cannot be used. */
import { isAbsolute, resolve } from 'node:path'
import { isWorkingDirectoryText } from '../process/raw-text.ts'
import type { Environment } from './environment.ts'
import { SettingError } from './setting-error.ts'

/** The flags as they were typed. `undefined`: the flag was not given. */
export type Flags = Readonly<{
  host?: string | undefined
  port?: string | undefined
  metricsPort?: string | undefined
  hosts?: string | undefined
  engine?: string | undefined
  database?: string | undefined
  synchronousStandbys?: string | undefined
  timeout?: string | undefined
  tombstoneGrace?: string | undefined
  drainTimeout?: string | undefined
  replaceAfter?: string | undefined
  clusterId?: string | undefined
  dataDir?: string | undefined
  scrubPeriod?: string | undefined
  nodeTlsCertFile?: string | undefined
  nodeTlsKeyFile?: string | undefined
  nodeTlsCaFile?: string | undefined
  tlsCertFile?: string | undefined
  tlsKeyFile?: string | undefined
  tlsClientCaFile?: string | undefined
  insecure?: string | undefined
  logLevel?: string | undefined
  maxConnections?: string | undefined
  rateLimit?: string | undefined
  corsOrigins?: string | undefined
  adminKeyFile?: string | undefined
  oidcIssuer?: string | undefined
  oidcAudience?: string | undefined
  oidcAlgorithms?: string | undefined
  oidcRoleClaim?: string | undefined
  oidcRoles?: string | undefined
  clientRolesFile?: string | undefined
  auditLog?: string | undefined
  keyFile?: string | undefined
  caFile?: string | undefined
  clientCertFile?: string | undefined
  clientKeyFile?: string | undefined
  tls?: boolean | undefined
  nodes?: string | undefined
  connectors?: string | undefined
}>

/** The settings that have an environment variable. */
export type Variable =
  | 'HOST'
  | 'PORT'
  | 'METRICS_PORT'
  | 'HOSTS'
  | 'ENGINE'
  | 'DATABASE_URL'
  | 'SYNCHRONOUS_STANDBYS'
  | 'TIMEOUT'
  | 'TOMBSTONE_GRACE'
  | 'DRAIN_TIMEOUT'
  | 'REPLACE_AFTER'
  | 'CLUSTER_ID'
  | 'DATA_DIR'
  | 'SCRUB_PERIOD'
  | 'NODE_TLS_CERT_FILE'
  | 'NODE_TLS_KEY_FILE'
  | 'NODE_TLS_CA_FILE'
  | 'TLS_CERT_FILE'
  | 'TLS_KEY_FILE'
  | 'TLS_CLIENT_CA_FILE'
  | 'INSECURE'
  | 'LOG_LEVEL'
  | 'MAX_CONNECTIONS'
  | 'RATE_LIMIT'
  | 'CORS_ORIGINS'
  | 'ADMIN_KEY_FILE'
  | 'OIDC_ISSUER'
  | 'OIDC_AUDIENCE'
  | 'OIDC_ALGORITHMS'
  | 'OIDC_ROLE_CLAIM'
  | 'OIDC_ROLES'
  | 'CLIENT_ROLES_FILE'
  | 'AUDIT_LOG'
  | 'COHORT_KEY_FILE'
  | 'COHORT_CA_FILE'
  | 'COHORT_CLIENT_CERT_FILE'
  | 'COHORT_CLIENT_KEY_FILE'
/** The text of a setting, and its name for messages. */
export type Found = Readonly<{ text: string; label: string }>

/**
 * Looks a setting up. `undefined`: it is not set. @throws SettingError when its place cannot be read
 */
export type Find = (variable: Variable) => Found | undefined

/** The flag of each setting: as it is typed, and its name among the `Flags`. */
export const FLAGS = {
  HOST: { name: '--host', key: 'host' },
  PORT: { name: '--port', key: 'port' },
  METRICS_PORT: { name: '--metrics-port', key: 'metricsPort' },
  HOSTS: { name: '--hosts', key: 'hosts' },
  ENGINE: { name: '--engine', key: 'engine' },
  DATABASE_URL: { name: '--database', key: 'database' },
  SYNCHRONOUS_STANDBYS: { name: '--synchronous-standbys', key: 'synchronousStandbys' },
  TIMEOUT: { name: '--timeout', key: 'timeout' },
  TOMBSTONE_GRACE: { name: '--tombstone-grace', key: 'tombstoneGrace' },
  DRAIN_TIMEOUT: { name: '--drain-timeout', key: 'drainTimeout' },
  REPLACE_AFTER: { name: '--replace-after', key: 'replaceAfter' },
  CLUSTER_ID: { name: '--cluster-id', key: 'clusterId' },
  DATA_DIR: { name: '--data-dir', key: 'dataDir' },
  SCRUB_PERIOD: { name: '--scrub-period', key: 'scrubPeriod' },
  NODE_TLS_CERT_FILE: { name: '--node-tls-cert-file', key: 'nodeTlsCertFile' },
  NODE_TLS_KEY_FILE: { name: '--node-tls-key-file', key: 'nodeTlsKeyFile' },
  NODE_TLS_CA_FILE: { name: '--node-tls-ca-file', key: 'nodeTlsCaFile' },
  TLS_CERT_FILE: { name: '--tls-cert-file', key: 'tlsCertFile' },
  TLS_KEY_FILE: { name: '--tls-key-file', key: 'tlsKeyFile' },
  TLS_CLIENT_CA_FILE: { name: '--tls-client-ca-file', key: 'tlsClientCaFile' },
  INSECURE: { name: '--insecure', key: 'insecure' },
  LOG_LEVEL: { name: '--log-level', key: 'logLevel' },
  MAX_CONNECTIONS: { name: '--max-connections', key: 'maxConnections' },
  RATE_LIMIT: { name: '--rate-limit', key: 'rateLimit' },
  CORS_ORIGINS: { name: '--cors-origins', key: 'corsOrigins' },
  ADMIN_KEY_FILE: { name: '--admin-key-file', key: 'adminKeyFile' },
  OIDC_ISSUER: { name: '--oidc-issuer', key: 'oidcIssuer' },
  OIDC_AUDIENCE: { name: '--oidc-audience', key: 'oidcAudience' },
  OIDC_ALGORITHMS: { name: '--oidc-algorithms', key: 'oidcAlgorithms' },
  OIDC_ROLE_CLAIM: { name: '--oidc-role-claim', key: 'oidcRoleClaim' },
  OIDC_ROLES: { name: '--oidc-roles', key: 'oidcRoles' },
  CLIENT_ROLES_FILE: { name: '--client-roles-file', key: 'clientRolesFile' },
  AUDIT_LOG: { name: '--audit-log', key: 'auditLog' },
  COHORT_KEY_FILE: { name: '--key-file', key: 'keyFile' },
  COHORT_CA_FILE: { name: '--ca-file', key: 'caFile' },
  COHORT_CLIENT_CERT_FILE: { name: '--client-cert-file', key: 'clientCertFile' },
  COHORT_CLIENT_KEY_FILE: { name: '--client-key-file', key: 'clientKeyFile' },
} as const satisfies Record<Variable, { name: string; key: Exclude<keyof Flags, 'tls'> }>

/** Makes a function that looks in the flags, then in the environment, then in `.env`. */
export function finder(flags: Flags, environment: Environment): Find {
  return (variable) => {
    const { name, key } = FLAGS[variable]
    const { [variable]: inEnvironment } = environment.variables
    const { [variable]: inDotEnv } = environment.dotEnv
    const garbled = environment.garbled?.[variable]
    if (flags[key] !== undefined) return flag(name, flags[key])
    if (garbled !== undefined)
      throw new SettingError(`${label(variable)} must be UTF-8 text, got "${garbled}"`)
    if (inEnvironment) return { text: inEnvironment, label: label(variable) }
    if (environment.dotEnvProblem !== undefined) throw new SettingError(environment.dotEnvProblem)
    if (inDotEnv) return { text: inDotEnv, label: `${variable} (from .env)` }
    return undefined
  }
}

/** Whether a setting comes from the environment, where other programs set variables too. */
export function isFromEnvironment(variable: Variable, flags: Flags, environment: Environment): boolean {
  return finder(flags, environment)(variable)?.label === label(variable)
}

function label(variable: Variable): string {
  return `${variable} (from the environment)`
}

/** A setting that has only a flag. */
export function flag(name: string, text: string | undefined): Found | undefined {
  return text === undefined ? undefined : { text, label: name }
}

/** The text of a setting that has no default. @throws SettingError */
export function required(found: Found | undefined, variable: Variable, meaning: string): Found {
  if (found === undefined) {
    throw new SettingError(
      `${variable} is missing: name ${meaning}, with ${FLAGS[variable].name} or ${variable}`,
    )
  }
  if (found.text.trim() === '' || found.text.includes('\0')) throw mismatch(found, meaning)
  return found
}

/** A whole number from `min` to `max`. @throws SettingError */
export function readWhole(
  found: Found | undefined,
  range: Readonly<{ default: number; min: number; max: number }>,
): number {
  if (found === undefined) return range.default
  const text = found.text.trim()
  const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (!(number >= range.min && number <= range.max)) {
    throw mismatch(found, `a whole number from ${range.min} to ${range.max}`)
  }
  return number
}

/** The absolute path. @throws SettingError */
export function absolutePath({ text, label }: Found): string {
  if (!isAbsolute(text) && !isWorkingDirectoryText()) {
    throw new SettingError(
      `${label} must be an absolute path, got ${JSON.stringify(text)}: the path of the working directory is not UTF-8 text`,
    )
  }
  return resolve(text)
}

/** The error for a setting that is not what it should be. */
export function mismatch(found: Found, expected: string): SettingError {
  return new SettingError(`${found.label} must be ${expected}, got ${JSON.stringify(found.text)}`)
}
