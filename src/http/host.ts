import type { IncomingMessage } from 'node:http'
import { RequestError } from './request-error.ts'

/**
 * `host` or `host:port` (RFC 9110 §7.2); the host is a name, an IPv4 address, or an IPv6 address in brackets.
 */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/**
 * What is wrong with the Host of a request (RFC 9112 §3.2). A request has one such field line at most, and
 * one of HTTP/1.1 has one. Node keeps the first of two and drops the other, but programs in front of this one
 * may have looked at the other.
 */
export function hostError({ headers, httpVersion, rawHeaders }: IncomingMessage): RequestError | undefined {
  const { host } = headers
  if (host === undefined) {
    return httpVersion === '1.1' ? new RequestError('invalid_http', 'The Host header is missing.') : undefined
  }
  if (hasSecondHost(rawHeaders)) return new RequestError('invalid_http', 'The Host header is given twice.')
  return HOST.test(host) ? undefined : new RequestError('invalid_http', 'The Host header names no host.')
}

/** `rawHeaders` has names and values in turn. */
function hasSecondHost(rawHeaders: readonly string[]): boolean {
  let count = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    if (name.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count > 1
}
