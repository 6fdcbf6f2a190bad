import { isIPv6 } from 'node:net'

/** `host:port`, with the brackets that an IPv6 address needs. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
}
