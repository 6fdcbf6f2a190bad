/** Addresses of processes, as the text `host:port`. */
import { BlockList, isIPv4, isIPv6 } from 'node:net'

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}

/**
 * Reads `host:port` or `http://host:port`, with or without a slash at the end. An IPv6 address needs
 * brackets.
 *
 * @returns `host:port` in lower case, with an IPv6 address in its shortest form. `undefined`: the text is not
 *   an address
 */
export function parseAddress(text: string): string | undefined {
  const match = /^(?:http:\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/i.exec(text)
  if (match === null) return undefined
  const [, bracketed, name, digits] = match
  const port = Number(digits)
  if (port < 1 || port > 65_535) return undefined
  if (bracketed !== undefined) {
    // The URL parser writes an IPv6 address in its shortest form, so that all spellings become equal.
    return isIPv6(bracketed) && !bracketed.includes('%')
      ? `${new URL(`http://[${bracketed}]`).hostname}:${port}`
      : undefined
  }
  return name !== undefined && isHostName(name) ? `${name.toLowerCase()}:${port}` : undefined
}

/**
 * Why other machines cannot connect to an address, as the end of a sentence. `undefined`: they may be able
 * to. A program can listen on 0.0.0.0 and [::], which mean all addresses of its own machine. For another
 * machine they mean that other machine.
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

/** Whether only programs of this machine can connect to a host, as far as its text tells. */
export function isLoopback(host: string): boolean {
  if (host.toLowerCase() === 'localhost' || host === '::1') return true
  return isIPv4(host) && host.startsWith('127.')
}

/** Whether two addresses are the same, as far as their texts tell: `localhost` counts as 127.0.0.1. */
export function sameEndpoint(a: string, b: string): boolean {
  return endpointKey(a) === endpointKey(b)
}

/**
 * Whether `name` is a host name or an IP address (without brackets). Underscores are allowed, because names
 * of containers may have them.
 */
export function isHostName(name: string): boolean {
  if (isIPv6(name)) return true
  // A name that has only digits and dots must be a complete IPv4 address.
  if (/^[\d.]+$/.test(name)) return isIPv4(name)
  return (
    name.length <= 253 &&
    /^[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/i.test(name)
  )
}

function endpointKey(address: string): string {
  return address.toLowerCase().replace(/^localhost:/, '127.0.0.1:')
}
