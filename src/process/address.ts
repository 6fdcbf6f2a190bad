/** Addresses of processes, as text: `host:port`. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Reads `host:port` or `http://host:port`, with or without a slash at the end. An IPv6 address needs
 * brackets.
 *
 * @returns `host:port` in lower case, an IPv6 address in its shortest form; `undefined` when the text is no
 * address
 */
export function parseAddress(text: string): string | undefined {
  const match = /^(?:http:\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/i.exec(text)
  if (match === null) return undefined
  const [, bracketed, name, digits] = match
  const port = Number(digits)
  if (port < 1 || port > 65_535) return undefined
  if (bracketed !== undefined) {
    // The URL parser writes an IPv6 address in its shortest form: two spellings of one address become equal.
    return isIPv6(bracketed) && !bracketed.includes('%')
      ? `${new URL(`http://[${bracketed}]`).hostname}:${port}`
      : undefined
  }
  return name !== undefined && isHostName(name) ? `${name.toLowerCase()}:${port}` : undefined
}

/**
 * Why no other process can connect to an address, as the end of a sentence; `undefined`: it may be possible.
 * A program can listen on 0.0.0.0 and [::], which stand for all addresses of its machine, but each machine
 * means itself by them.
 */
export function whyUnreachable(address: string): string | undefined {
  const host = address.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  const family = isIPv6(host) ? 'ipv6' : 'ipv4'
  if (family === 'ipv4' && !isIPv4(host)) return undefined
  if (EVERYWHERE.check(host, family))
    return 'stands for all addresses of a machine, so nobody can connect to it'
  if (MULTICAST.check(host, family)) return 'stands for many machines at once, so nobody can connect to it'
  if (LINK_LOCAL.check(host, family))
    return 'means another machine on each network, so it needs a zone, which is not supported'
  return undefined
}

const EVERYWHERE = new BlockList()
EVERYWHERE.addSubnet('0.0.0.0', 8, 'ipv4')
EVERYWHERE.addAddress('::', 'ipv6')
const MULTICAST = new BlockList()
MULTICAST.addSubnet('224.0.0.0', 4, 'ipv4')
MULTICAST.addAddress('255.255.255.255', 'ipv4')
MULTICAST.addSubnet('ff00::', 8, 'ipv6')
const LINK_LOCAL = new BlockList()
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6')

/** Whether two addresses lead to the same place, as far as their texts tell: `localhost` is 127.0.0.1. */
export function sameEndpoint(a: string, b: string): boolean {
  return endpointKey(a) === endpointKey(b)
}

/**
 * Whether `name` is a host name or an IP address (without brackets). Container names may have underscores.
 */
export function isHostName(name: string): boolean {
  if (isIPv6(name)) return true
  // A name of digits and dots is meant as an IPv4 address, and must be a whole one.
  if (/^[\d.]+$/.test(name)) return isIPv4(name)
  return (
    name.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(name)
  )
}

function endpointKey(address: string): string {
  return address.toLowerCase().replace(/^localhost:/, '127.0.0.1:')
}
