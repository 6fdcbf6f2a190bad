/**
 * The settings of each process. A setting comes from its flag, else from its environment variable, else from
 * `.env`, else from its default. An empty variable counts as not set. Every error is a SettingError that
 * names the setting.
 */
import { isHostName } from '../process/address.ts'
import {
  TIMEOUTS_PER_GRACE,
  TOMBSTONE_GRACE_MS,
  TOMBSTONE_GRACE_MS_MAX,
  TOMBSTONE_GRACE_MS_MIN,
} from '../register/grace-time.ts'
import type { TlsPaths } from '../tls/material.ts'
import { type AccessSettings, readAccessSettings, readPath } from './access-settings.ts'
import type { Environment } from './environment.ts'
import { readInsecure, refuseExposure } from './exposure.ts'
import { HOSTS_MAX, parseHosts, WHY_NOT_TWO } from './hosts.ts'
import { type LimitSettings, readLimitSettings } from './limit-settings.ts'
import {
  absolutePath,
  type Find,
  type Flags,
  type Found,
  finder,
  flag,
  mismatch,
  readWhole,
  required,
} from './lookup.ts'
import { readNodes } from './node-hosts.ts'
import {
  type PostgresSettings,
  readPostgresSettings,
  readUpPostgresSettings,
  type UpPostgresSettings,
} from './postgres-settings.ts'
import { SettingError } from './setting-error.ts'
import { type NodeTls, readApiTls, readNodeTls } from './tls-settings.ts'

/** The settings of a node. Port 0 means any free port. */
export type NodeSettings = Readonly<{
  host: string
  port: number
  /** The port of `GET /metrics`. `undefined`: the node shows no metrics. */
  metricsPort: number | undefined
  /** Absolute. */
  dataDir: string
  /** How long the node takes to read all its records once, in search of damaged ones. */
  scrubPeriodMs: number
  /** The only cluster to which this node may belong. `undefined`: any. */
  clusterId: string | undefined
  /** How many connections are open at most. */
  maxConnections: number
  /** `undefined`: everyone who reaches the port may read and write. */
  tls: NodeTls | undefined
  /** A level of pino. */
  logLevel: string
}>

/**
 * The settings of a connector. `hosts` are the nodes, as `host:port`; none with `postgres`. `timeoutMs` is
 * the longest time that an operation takes. `tombstoneGraceMs` is the wait before each step of removing a
 * tombstone (protocol.md §6), and at least ten times `timeoutMs`. It counts only for a cluster that this
 * connector creates: an existing cluster keeps its own. `drainTimeoutMs` is the longest time that a stop
 * waits for requests. `replaceAfterMs` is the time after which an empty node at the address of a member
 * replaces that member. `clusterId` is the only cluster that this connector may serve; `undefined`: any.
 * `nodeTls` is for the connections to nodes, `apiTls` for the public API; `undefined`: they are not
 * encrypted.
 */
export type ConnectorSettings = Readonly<{
  host: string
  port: number
  /** Who may use the API. */
  access: AccessSettings
  /** Whether the connector may listen where other machines connect without asking who they are. */
  isInsecure: boolean
  hosts: readonly string[]
  /** `undefined`: the engine is `cohort`, on the nodes. */
  postgres: PostgresSettings | undefined
  timeoutMs: number
  tombstoneGraceMs: number
  drainTimeoutMs: number
  replaceAfterMs: number
  clusterId: string | undefined
  nodeTls: NodeTls | undefined
  apiTls: TlsPaths | undefined
  logLevel: string
  limits: LimitSettings
}>

/**
 * The settings of a local cluster. `host` is where the connectors listen. The nodes listen only on 127.0.0.1.
 */
export type UpSettings = Readonly<{
  host: string
  port: number
  /** The file with the hashes of the admin keys. `undefined`: none is named. */
  adminKeyFile: string | undefined
  /** Whether the connectors may listen where other machines connect without asking who they are. */
  isInsecure: boolean
  /** Whether the cluster makes certificates for itself, and encrypts everything with them. */
  isEncrypted: boolean
  /** What keeps the groups. `undefined`: the nodes. */
  postgres: UpPostgresSettings | undefined
  /** How many nodes, or servers of Postgres, run on this machine. */
  nodeCount: number
  connectorCount: number
  /** Absolute. */
  dataDir: string
  timeoutMs: number
  tombstoneGraceMs: number
  drainTimeoutMs: number
  replaceAfterMs: number
  clusterId: string | undefined
  logLevel: string
  limits: LimitSettings
}>

/** The default address to listen on: only programs of this machine reach it. */
export const LOOPBACK = '127.0.0.1'

/** Where connectors listen by default. */
export const CONNECTOR_PORT = 8000

const NODE_PORT = 8001
const TIMEOUT_SECONDS = 3
const DRAIN_TIMEOUT_SECONDS = 10
const REPLACE_AFTER_SECONDS = 60
const REPLACE_AFTER_SECONDS_MAX = 86_400
const CONNECTORS_MAX = 16
/** A day; at most a month. */
export const SCRUB_PERIOD_SECONDS = { default: 86_400, min: 1, max: 2_678_400 }
/** A connector has one connection to each node, and a command that asks nodes too. */
export const NODE_CONNECTIONS = { default: 1_024, min: 1, max: 1_000_000 }
const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** The settings of a node. @throws SettingError */
export function readNodeSettings(flags: Flags, environment: Environment): NodeSettings {
  const find = finder(flags, environment)
  const port = readPort(find, { default: NODE_PORT, min: 0, max: 65_535 })
  const host = readHost(find)
  const tls = readNodeTls(find)
  if (tls === undefined) {
    refuseExposure(find, {
      host,
      danger: 'anyone could read and change the data of this node',
      remedy:
        'set NODE_TLS_CERT_FILE, NODE_TLS_KEY_FILE and NODE_TLS_CA_FILE to files that "cohort certs init" makes',
    })
  }
  return Object.freeze({
    host,
    port,
    metricsPort: readMetricsPort(find, port),
    dataDir: absolutePath(
      required(find('DATA_DIR'), 'DATA_DIR', 'the directory in which this node keeps its data'),
    ),
    scrubPeriodMs: readMs(find('SCRUB_PERIOD'), SCRUB_PERIOD_SECONDS),
    clusterId: readClusterId(find),
    maxConnections: readWhole(find('MAX_CONNECTIONS'), NODE_CONNECTIONS),
    tls,
    logLevel: readLogLevel(find),
  })
}

/** The settings of a connector. @throws SettingError */
export function readConnectorSettings(flags: Flags, environment: Environment): ConnectorSettings {
  const find = finder(flags, environment)
  const host = readHost(find)
  const port = readPort(find, { default: CONNECTOR_PORT, min: 0, max: 65_535 })
  const postgres = readPostgresSettings(find)
  const hosts = Object.freeze(postgres === undefined ? readNodes(find, host, port) : [])
  const apiTls = readApiTls(find)
  return Object.freeze({
    host,
    port,
    access: readAccessSettings(find, { host, asksForCertificates: apiTls?.caFile !== undefined }),
    isInsecure: readInsecure(find),
    hosts,
    postgres,
    ...readTimes(find),
    clusterId: readClusterId(find),
    nodeTls: readNodeTls(find),
    apiTls,
    logLevel: readLogLevel(find),
    limits: readLimitSettings(find),
  })
}

/** The settings of a local cluster. @throws SettingError */
export function readUpSettings(flags: Flags, environment: Environment): UpSettings {
  const find = finder(flags, environment)
  const nodes = flag('--nodes', flags.nodes)
  const nodeCount = readWhole(nodes, { default: 3, min: 1, max: HOSTS_MAX })
  if (nodeCount === 2)
    throw new SettingError(`--nodes must be 1, or 3 to ${HOSTS_MAX}, got 2: ${WHY_NOT_TWO}`)
  const connectorCount = readWhole(flag('--connectors', flags.connectors), {
    default: 1,
    min: 1,
    max: CONNECTORS_MAX,
  })
  // The services take consecutive ports, and the last one must be a legal port.
  const portMax = 65_535 - 2 * HOSTS_MAX - CONNECTORS_MAX
  const dataDir = find('DATA_DIR') ?? { text: '.cohort', label: 'DATA_DIR' }
  const postgres = readUpPostgresSettings(find, nodeCount)
  if (postgres?.database !== undefined && nodes !== undefined) {
    throw new SettingError(`--nodes is for servers on this machine, and --database names others`)
  }
  return Object.freeze({
    host: readHost(find),
    port: readPort(find, { default: CONNECTOR_PORT, min: 1, max: portMax }),
    postgres,
    adminKeyFile: readPath(find, 'ADMIN_KEY_FILE'),
    isInsecure: readInsecure(find),
    isEncrypted: flags.tls === true,
    nodeCount: postgres?.database === undefined ? nodeCount : 0,
    connectorCount,
    dataDir: absolutePath(required(dataDir, 'DATA_DIR', 'a directory')),
    ...readTimes(find),
    clusterId: readClusterId(find),
    logLevel: readLogLevel(find),
    limits: readLimitSettings(find),
  })
}

/**
 * Where the API is: at `--url` (without query or fragment), else on this machine at PORT, as with `cohort
 * up`. The URL of a part of the API, as `cohort up` prints it, means the whole API.
 *
 * @throws SettingError
 */
export function readUrl(text: string | undefined, environment: Environment): string {
  if (text === undefined) {
    const port = readPort(finder({}, environment), { default: CONNECTOR_PORT, min: 0, max: 65_535 })
    return `http://${LOOPBACK}:${port}`
  }
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || url.search + url.hash + url.username !== '') {
    throw mismatch({ text, label: '--url' }, `a URL like http://${LOOPBACK}:${CONNECTOR_PORT}`)
  }
  return text.replace(/\/+$/, '').replace(PART_OF_API, '')
}

/** The paths that `cohort up` prints, and other paths that people may copy. */
const PART_OF_API =
  /\/(v1\/(group|key|caller|cluster|backup|restore|docs|redoc|openapi\.json)|metrics|livez|readyz)$/

/** The whole number of a flag that has no variable. @throws SettingError */
export function readCount(
  name: string,
  text: string | undefined,
  range: Readonly<{ default: number; min: number; max: number }>,
): number {
  return readWhole(flag(name, text), range)
}

/** The certificate with which a command speaks to nodes. @throws SettingError */
export function readCommandTls(flags: Flags, environment: Environment): NodeTls | undefined {
  return readNodeTls(finder(flags, environment))
}

/** The hosts that a flag names. @throws SettingError */
export function readHostsFlag(name: string, text: string): readonly string[] {
  const result = parseHosts(text)
  if (result.kind === 'problem') throw new SettingError(`${name} ${result.problem}`)
  return result.hosts
}

function readHost(find: Find): string {
  const found = find('HOST')
  if (found === undefined) return LOOPBACK
  const name = found.text.replace(/^\[(.*)\]$/, '$1')
  if (!isHostName(name)) throw mismatch(found, 'a host name or an IP address to listen on, without a port')
  return name
}

function readPort(find: Find, range: Readonly<{ default: number; min: number; max: number }>): number {
  return readWhole(find('PORT'), range)
}

/** `undefined`: the node shows no metrics. */
function readMetricsPort(find: Find, port: number): number | undefined {
  const found = find('METRICS_PORT')
  if (found === undefined) return undefined
  const metricsPort = readWhole(found, { default: 0, min: 0, max: 65_535 })
  if (metricsPort === port && port !== 0) throw mismatch(found, `a different port from PORT (${port})`)
  return metricsPort
}

type Times = Pick<ConnectorSettings, 'timeoutMs' | 'tombstoneGraceMs' | 'drainTimeoutMs' | 'replaceAfterMs'>

function readTimes(find: Find): Times {
  const timeout = { default: TIMEOUT_SECONDS, min: 0.1, max: 60 }
  const timeoutMs = readMs(find('TIMEOUT'), timeout)
  const found = find('TOMBSTONE_GRACE')
  const grace = {
    default: TOMBSTONE_GRACE_MS / 1_000,
    min: TOMBSTONE_GRACE_MS_MIN / 1_000,
    max: TOMBSTONE_GRACE_MS_MAX / 1_000,
  }
  const tombstoneGraceMs = readMs(found, grace)
  const leastMs = TIMEOUTS_PER_GRACE * timeoutMs
  if (found !== undefined && tombstoneGraceMs < leastMs) {
    throw mismatch(found, `at least ${leastMs / 1_000} seconds, ${TIMEOUTS_PER_GRACE} times TIMEOUT`)
  }
  const drainTimeout = { default: DRAIN_TIMEOUT_SECONDS, min: 0, max: 600 }
  const replaceAfter = { default: REPLACE_AFTER_SECONDS, min: 0, max: REPLACE_AFTER_SECONDS_MAX }
  return {
    timeoutMs,
    tombstoneGraceMs,
    drainTimeoutMs: readMs(find('DRAIN_TIMEOUT'), drainTimeout),
    replaceAfterMs: readMs(find('REPLACE_AFTER'), replaceAfter),
  }
}

/** The id of a cluster is a UUID. An empty flag, like an empty variable, means that it is not set. */
function readClusterId(find: Find): string | undefined {
  const found = find('CLUSTER_ID')
  if (found === undefined || found.text === '') return undefined
  const clusterId = found.text.trim().toLowerCase()
  if (!UUID.test(clusterId)) throw mismatch(found, 'the id of a cluster, as `cohort status` shows it')
  return clusterId
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** A number of seconds, with fractions, as milliseconds. @throws SettingError */
function readMs(
  found: Found | undefined,
  range: Readonly<{ default: number; min: number; max: number }>,
): number {
  if (found === undefined) return range.default * 1_000
  const seconds = /^(\d+(\.\d*)?|\.\d+)$/.test(found.text.trim()) ? Number(found.text) : Number.NaN
  if (!(seconds >= range.min && seconds <= range.max)) {
    throw mismatch(found, `a number of seconds from ${range.min} to ${range.max}`)
  }
  return Math.round(seconds * 1_000)
}

function readLogLevel(find: Find): string {
  const found = find('LOG_LEVEL')
  if (found === undefined) return 'info'
  const level = found.text.trim().toLowerCase()
  if (!LOG_LEVELS.includes(level)) throw mismatch(found, `one of ${LOG_LEVELS.join(', ')}`)
  return level
}
