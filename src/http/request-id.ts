import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export const REQUEST_ID_HEADER = 'x-request-id'

/** What a client may choose: visible ASCII, no spaces, 1 to 128 characters. */
const SANE = /^[\x21-\x7e]{1,128}$/

/**
 * The id of a request: the client's own, if it sent one that is allowed, else one that no other process
 * gives.
 */
export function requestIds(): (request: { headers: IncomingHttpHeaders }) => string {
  const prefix = randomBytes(6).toString('hex')
  let count = 0
  return ({ headers }) => {
    const chosen = headers[REQUEST_ID_HEADER]
    if (typeof chosen === 'string' && SANE.test(chosen)) return chosen
    count += 1
    return `${prefix}-${count.toString(36)}`
  }
}
