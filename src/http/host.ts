import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { isGivenTwice } from './given-twice.ts'
import { RequestError } from './request-error.ts'

/**
 * `host` or `host:port` (RFC 9110 §7.2); the host is a name, an IPv4 address, or an IPv6 address in brackets.
 */
const HOST = /^(?:\[[\da-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(?::\d*)?$/i

/**
 * What is wrong with the Host header of a request (RFC 9112 §3.2). A request may have one such header at
 * most, and HTTP/1.1 requires one.
 *
 * `isLocalOnly`: the header must name this machine, if it names anything. A web page can let the name of its
 * own server lead to 127.0.0.1 (DNS rebinding), and the browser then lets it read and change everything here.
 */
export function hostError(request: IncomingMessage, isLocalOnly: boolean): RequestError | undefined {
  const { host } = request.headers
  if (host === undefined) {
    return request.httpVersion === '1.1'
      ? new RequestError('invalid_http', 'The Host header is missing.')
      : undefined
  }
  if (isGivenTwice(request, 'host'))
    return new RequestError('invalid_http', 'The Host header is given twice.')
  if (!HOST.test(host)) return new RequestError('invalid_http', 'The Host header names no host.')
  return isLocalOnly && !isLocal(host) ? misdirected(host) : undefined
}

function isLocal(host: string): boolean {
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === '' || isIP(name) !== 0 || /^(?:.+\.)?localhost\.?$/i.test(name)
}

function misdirected(host: string): RequestError {
  return new RequestError(
    'misdirected_request',
    `This connector asks nobody who they are, so it takes no request for ${JSON.stringify(host)}, which a web page ` +
      'may have made lead here: use localhost or an IP address. To use a name, set ADMIN_KEY_FILE, or start the ' +
      'connector with --insecure.',
  )
}
