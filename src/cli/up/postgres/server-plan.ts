/** The local servers of Postgres as processes of a plan: which settings each has, and who follows whom. */
import { join } from 'node:path'
import { LOOPBACK, type UpSettings } from '../../../config/settings.ts'
import { formatAddress } from '../../../process/address.ts'
import type { ServicePlan } from '../cluster-plan.ts'
import { passwordFile, serverDirectory, USER } from './server-data.ts'

/** The database that every server has. */
const DATABASE = 'postgres'

/**
 * For the sessions of 16 connectors. It is the same at every start, because a standby must not have fewer
 * than its primary had.
 */
const CONNECTIONS_MAX = 320

/** The servers: the first is the primary, and the others are its standbys. */
export function planServers(settings: UpSettings, programs: string): ServicePlan[] {
  return Array.from({ length: settings.nodeCount }, (_, index) => planServer(settings, programs, index))
}

/** The database of the servers, as connectors and people name it. */
export function localDatabase({ port, nodeCount }: UpSettings): string {
  const addresses = Array.from({ length: nodeCount }, (_, index) => formatAddress(LOOPBACK, port + 1 + index))
  return `postgres://${USER}@${addresses.join(',')}/${DATABASE}`
}

function planServer(settings: UpSettings, programs: string, index: number): ServicePlan {
  const { dataDir, nodeCount, port: first, postgres } = settings
  const name = serverName(index)
  const port = first + 1 + index
  const others = Array.from({ length: nodeCount }, (_, other) => serverName(other)).filter(
    (other) => other !== name,
  )
  const waitsFor = postgres?.synchronousStandbys ?? 0
  const parameters = {
    port,
    listen_addresses: LOOPBACK,
    unix_socket_directories: '',
    max_connections: CONNECTIONS_MAX,
    shared_buffers: '32MB',
    synchronous_standby_names: waitsFor === 0 ? '' : `ANY ${waitsFor} (${others.join(', ')})`,
    primary_conninfo:
      index === 0
        ? ''
        : `host=${LOOPBACK} port=${first + 1} user=${USER} application_name=${name} passfile='${quoted(passwordFile(dataDir))}'`,
    wal_retrieve_retry_interval: '500ms',
    log_checkpoints: 'off',
  }
  return {
    name,
    kind: 'server',
    scheme: 'http',
    host: LOOPBACK,
    port,
    program: join(programs, 'postgres'),
    // Sessions are ended, and nothing is lost. SIGTERM would wait until the last client leaves.
    stopSignal: 'SIGINT',
    args: [
      ...['-D', serverDirectory(dataDir, index)],
      ...Object.entries(parameters).flatMap(([parameter, value]) => ['-c', `${parameter}=${value}`]),
    ],
  }
}

function serverName(index: number): string {
  return `server${index + 1}`
}

/** A value between quotes in the text of a connection. */
function quoted(value: string): string {
  return value.replace(/['\\]/g, '\\$&')
}
