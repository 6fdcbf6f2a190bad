/** Reads HOSTS, the addresses of a cluster's nodes. */
import { parseAddress, sameEndpoint, whyUnreachable } from '../process/address.ts'

/** How many nodes a cluster may have. */
export const HOSTS_MAX = 7

/** Why a cluster of two nodes is refused: both would have to answer, so the loss of either one stops it. */
export const WHY_NOT_TWO = 'two nodes do not survive the loss of either, which is worse than one'

/** The result of reading a list of hosts. `problem` continues a sentence that begins with "HOSTS". */
export type HostsResult =
  | Readonly<{ kind: 'hosts'; hosts: readonly string[] }>
  | Readonly<{ kind: 'problem'; problem: string }>

/**
 * Reads addresses (see `parseAddress`) that are separated by commas or white space. The result has them as
 * `host:port`, in the same order.
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
    const why = whyUnreachable(host)
    if (why !== undefined) return problem(`must name each node as others reach it, got ${host}, which ${why}`)
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

function problem(text: string): HostsResult {
  return { kind: 'problem', problem: text }
}
