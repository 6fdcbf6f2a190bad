import { join } from 'node:path'
import { LOOPBACK, NODE_CONNECTIONS, SCRUB_PERIOD_SECONDS, type UpSettings } from '../../config/settings.ts'
import { formatAddress } from '../../process/address.ts'
import { certificatesIn } from './certificates.ts'

/**
 * One process of a local cluster: its name, where it listens, and the arguments of its `cohort` command.
 */
export type ServicePlan = Readonly<{
  name: string
  /** `server`: of Postgres. */
  kind: 'node' | 'server' | 'connector'
  /** How it answers HTTP. A node does it for its metrics only, and never encrypts them. */
  scheme: 'http' | 'https'
  host: string
  port: number
  /** The port of a node's metrics. A connector has its metrics on the port of the API. */
  metricsPort?: number
  /** What is run. Default: this program, which also ends by itself when `up` is gone. */
  program?: string
  args: readonly string[]
  /** Set in its environment, beside what `up` has there. */
  environment?: Readonly<{ [name: string]: string }>
  /** What tells it to stop. Default: SIGTERM. */
  stopSignal?: NodeJS.Signals
}>

/**
 * The nodes first, then the connectors. The ports, for port P, N nodes and C connectors: the first connector
 * has P, the nodes have P+1 to P+N, further connectors P+N+1 to P+N+C-1, and the metrics of the nodes P+N+C
 * to P+2N+C-1.
 */
export function planCluster(settings: UpSettings): ServicePlan[] {
  const { port, nodeCount, connectorCount } = settings
  const nodes = Array.from({ length: nodeCount }, (_, index) =>
    planNode(settings, index, {
      port: port + 1 + index,
      metricsPort: port + nodeCount + connectorCount + index,
    }),
  )
  const hosts = nodes.map((node) => formatAddress(node.host, node.port)).join(',')
  return [...nodes, ...planConnectors(settings, { engine: 'cohort', hosts })]
}

/** The connectors, with the flags that say what keeps the groups. */
export function planConnectors(settings: UpSettings, engine: EngineFlags): ServicePlan[] {
  const { port, nodeCount, connectorCount } = settings
  return Array.from({ length: connectorCount }, (_, index) =>
    planConnector(settings, {
      name: connectorCount === 1 ? 'connector' : `connector${index + 1}`,
      port: index === 0 ? port : port + nodeCount + index,
      engine,
    }),
  )
}

/** The flags of a connector that say what keeps the groups. */
type EngineFlags = Readonly<{ engine: string; [name: string]: string | number }>

/** The data directory of the node with this index, from 0. */
export function nodeDirectory(dataDir: string, index: number): string {
  return join(dataDir, `node${index + 1}`)
}

function planNode(
  settings: UpSettings,
  index: number,
  { port, metricsPort }: Readonly<{ port: number; metricsPort: number }>,
): ServicePlan {
  const { dataDir, clusterId, logLevel } = settings
  const name = `node${index + 1}`
  const flags = {
    port,
    host: LOOPBACK,
    'metrics-port': metricsPort,
    'data-dir': nodeDirectory(dataDir, index),
    'scrub-period': SCRUB_PERIOD_SECONDS.default,
    'cluster-id': clusterId ?? '',
    'max-connections': NODE_CONNECTIONS.default,
    'log-level': logLevel,
    ...nodeTlsFlags(settings, 'node', name),
  }
  return {
    name,
    kind: 'node',
    scheme: 'http',
    host: LOOPBACK,
    port,
    metricsPort,
    args: toArgs('node', flags),
  }
}

function planConnector(
  settings: UpSettings,
  { name, port, engine }: Readonly<{ name: string; port: number; engine: EngineFlags }>,
): ServicePlan {
  const { host, timeoutMs, tombstoneGraceMs, drainTimeoutMs, replaceAfterMs, clusterId, logLevel } = settings
  const { adminKeyFile, isInsecure } = settings
  const { maxConnections, ratePerSecond, corsOrigins, auditLog } = settings.limits
  const flags = {
    port,
    host,
    ...engine,
    timeout: timeoutMs / 1_000,
    'tombstone-grace': tombstoneGraceMs / 1_000,
    'drain-timeout': drainTimeoutMs / 1_000,
    'replace-after': replaceAfterMs / 1_000,
    'cluster-id': clusterId ?? '',
    'log-level': logLevel,
    'max-connections': maxConnections,
    'rate-limit': ratePerSecond ?? '',
    'cors-origins': corsOrigins.join(),
    'audit-log': auditLog ?? '',
    'admin-key-file': adminKeyFile ?? '',
    'oidc-issuer': '',
    'client-roles-file': '',
    ...nodeTlsFlags(settings, 'connector', name),
    ...apiTlsFlags(settings, name),
  }
  return {
    name,
    kind: 'connector',
    scheme: settings.isEncrypted ? 'https' : 'http',
    host,
    port,
    args: toArgs('connector', flags),
    // The only setting whose flag cannot say no.
    environment: { INSECURE: String(isInsecure) },
  }
}

/** The certificate for the connections between connectors and nodes. */
function nodeTlsFlags({ isEncrypted, dataDir }: UpSettings, kind: 'node' | 'connector', name: string) {
  const files = isEncrypted ? certificatesIn(dataDir).filesOf(kind, name) : undefined
  return {
    'node-tls-cert-file': files?.cert ?? '',
    'node-tls-key-file': files?.key ?? '',
    'node-tls-ca-file': files?.ca ?? '',
  }
}

/** The certificate of the API. */
function apiTlsFlags({ isEncrypted, dataDir }: UpSettings, name: string) {
  const files = isEncrypted ? certificatesIn(dataDir).filesOf('connector', name) : undefined
  return {
    'tls-cert-file': files?.apiCert ?? '',
    'tls-key-file': files?.apiKey ?? '',
    'tls-client-ca-file': '',
  }
}

/** Every setting is a flag, so that neither the environment nor a `.env` file changes a single service. */
function toArgs(command: string, flags: Readonly<{ [name: string]: string | number }>): string[] {
  return [
    command,
    '--stop-with-parent',
    ...Object.entries(flags).map(([name, value]) => `--${name}=${value}`),
  ]
}
