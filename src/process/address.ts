/** Addresses of processes, as text: `host:port`. */
import { isIPv4, isIPv6 } from 'node:net'

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
