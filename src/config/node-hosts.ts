/** The setting that names the nodes of a connector. */
import { formatAddress, sameEndpoint } from '../process/address.ts'
import { parseHosts } from './hosts.ts'
import { type Find, required } from './lookup.ts'
import { SettingError } from './setting-error.ts'

const LOOPBACKS = ['127.0.0.1', '::1']

/** The nodes of a connector that listens at `host` and `port`. @throws SettingError */
export function readNodes(find: Find, host: string, port: number): readonly string[] {
  const found = required(
    find('HOSTS'),
    'HOSTS',
    'the nodes of the cluster, as host:port, separated by commas',
  )
  const result = parseHosts(found.text)
  if (result.kind === 'problem') throw new SettingError(`${found.label} ${result.problem}`)
  const itself = result.hosts.find((address) => isOwnAddress(address, host, port))
  if (itself !== undefined) {
    throw new SettingError(
      `${found.label} must name nodes only, got ${itself}, where this connector itself listens (PORT ${port})`,
    )
  }
  return result.hosts
}

function isOwnAddress(address: string, host: string, port: number): boolean {
  if (sameEndpoint(address, formatAddress(host, port))) return true
  const listensEverywhere = host === '0.0.0.0' || host === '::'
  const loopbacks = LOOPBACKS.map((loopback) => formatAddress(loopback, port))
  return listensEverywhere && loopbacks.some((loopback) => sameEndpoint(address, loopback))
}
