import type { IncomingMessage } from 'node:http'
import { RequestError } from './request-error.ts'

/**
 * `host` or `host:port` (RFC 9110 §7.2); the host is a name, an IPv4 address, or an IPv6 address in brackets.
 */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/**
 * What is wrong with the Host header of a request (RFC 9112 §3.2). A request may have one such header at
 * most, and HTTP/1.1 requires one. If there are two, Node.js keeps the first, but a proxy in front of this
 * server may have used the other. So two are refused.
 */
export function hostError({ headers, httpVersion, rawHeaders }: IncomingMessage): RequestError | undefined {
  const { host } = headers
  if (host === undefined) {
    return httpVersion === '1.1' ? new RequestError('invalid_http', 'The Host header is missing.') : undefined
  }
  if (hasSecondHost(rawHeaders)) return new RequestError('invalid_http', 'The Host header is given twice.')
  return HOST.test(host) ? undefined : new RequestError('invalid_http', 'The Host header names no host.')
}

/** In `rawHeaders` each name is followed by its value. */
function hasSecondHost(rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count > 1
}
