import type { IncomingMessage } from 'node:http'

/**
 * Whether a request has a header field more than once. Node.js then keeps the first value of some fields, but
 * a proxy in front of this server may have used the other one.
 *
 * @param name in lower case
 */
export function isGivenTwice({ rawHeaders }: Pick<IncomingMessage, 'rawHeaders'>, name: string): boolean {
  let count = 0
  // Each name is followed by its value.
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const given = rawHeaders[index]!
    if (given.length === name.length && given.toLowerCase() === name) count += 1
  }
  return count > 1
}
