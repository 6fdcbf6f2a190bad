import { randomBytes } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

export const REQUEST_ID_HEADER = 'x-request-id'

/** An id that a client may choose: 1 to 128 visible ASCII characters, no spaces. */
const SANE = /^[\x21-\x7e]{1,128}$/

/**
 * Makes a function that gives each request its id: the one that the client sent, if it is allowed, else one
 * that no other process makes.
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
