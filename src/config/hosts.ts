/** HOSTS: where the nodes of a cluster are. */
import { isIPv4, isIPv6 } from 'node:net'

/** The most nodes a cluster has. */
export const HOSTS_MAX = 7

/** Two are refused: a quorum of two is both, so twice as many machines can stop it. */
export const WHY_NOT_TWO = 'two nodes do not survive the loss of either, which is worse than one'

/** What came of reading a list of hosts. `problem` completes the sentence "HOSTS ...". */
export type HostsResult =
  | Readonly<{ kind: 'hosts'; hosts: readonly string[] }>
  | Readonly<{ kind: 'problem'; problem: string }>

/**
 * Reads `host:port` or `http://host:port` (a trailing slash is fine), separated by commas or white space; IPv6
 * addresses in brackets. The hosts come back as `host:port`, in lower case, in their order.
 */
export function parseHosts(text: string): HostsResult {
  const hosts: string[] = []
  for (const part of text.split(/[\s,]+/).filter((word) => word !== '')) {
    const host = parseAddress(part)
    if (host === undefined) {
      return problem(
        `must name each node as host:port (like 127.0.0.1:8001 or [::1]:8001), got ${JSON.stringify(part)}`,
      )
    }
    const twin = hosts.find((other) => sameEndpoint(other, host))
    if (twin !== undefined) return problem(`must name each node once, got ${twin} and ${host}`)
    hosts.push(host)
  }
  if (hosts.length === 2) return problem(`must name 1 node, or 3 to ${HOSTS_MAX}, got 2: ${WHY_NOT_TWO}`)
  if (hosts.length < 1 || hosts.length > HOSTS_MAX) {
    return problem(`must name 1 node, or 3 to ${HOSTS_MAX}, got ${hosts.length}`)
  }
  return { kind: 'hosts', hosts }
}

/** Whether two addresses (`host:port`) lead to the same place, as far as their texts tell: `localhost` is 127.0.0.1. */
export function sameEndpoint(a: string, b: string): boolean {
  return endpointKey(a) === endpointKey(b)
}

/** Whether `name` is the name or the address (without brackets) of a machine. Underscores are usual in container names. */
export function isHostName(name: string): boolean {
  if (isIPv6(name)) return true
  // All digits and dots is meant as an address, and must be a whole one.
  if (/^[\d.]+$/.test(name)) return isIPv4(name)
  return (
    name.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(name)
  )
}

/** One address of `parseHosts`' list, as `host:port` in lower case; `undefined` when it is none. */
export function parseAddress(text: string): string | undefined {
  const match = /^(?:http:\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/i.exec(text)
  if (match === null) return undefined
  const [, bracketed, name, digits] = match
  const port = Number(digits)
  if (port < 1 || port > 65_535) return undefined
  if (bracketed !== undefined) {
    // The URL parser writes an IPv6 address in its shortest form, so that twins are found.
    return isIPv6(bracketed) && !bracketed.includes('%')
      ? `${new URL(`http://[${bracketed}]`).hostname}:${port}`
      : undefined
  }
  return name !== undefined && isHostName(name) ? `${name.toLowerCase()}:${port}` : undefined
}

function endpointKey(address: string): string {
  return address.toLowerCase().replace(/^localhost:/, '127.0.0.1:')
}

function problem(text: string): HostsResult {
  return { kind: 'problem', problem: text }
}
