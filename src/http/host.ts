import type { IncomingMessage } from 'node:http'
import { isGivenTwice } from './given-twice.ts'
import { RequestError } from './request-error.ts'

/**
 * `host` or `host:port` (RFC 9110 §7.2); the host is a name, an IPv4 address, or an IPv6 address in brackets.
 */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/**
 * What is wrong with the Host header of a request (RFC 9112 §3.2). A request may have one such header at
 * most, and HTTP/1.1 requires one.
 */
export function hostError(request: IncomingMessage): RequestError | undefined {
  const { host } = request.headers
  if (host === undefined) {
    return request.httpVersion === '1.1'
      ? new RequestError('invalid_http', 'The Host header is missing.')
      : undefined
  }
  if (isGivenTwice(request, 'host'))
    return new RequestError('invalid_http', 'The Host header is given twice.')
  return HOST.test(host) ? undefined : new RequestError('invalid_http', 'The Host header names no host.')
}
