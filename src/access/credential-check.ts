/** Finds out who sends a request, from the header `Authorization`. */
import type { Authenticator, Credentials, Verdict } from './authenticator.ts'
import type { KeyCheck } from './key-check.ts'
import { TOKEN_START } from './key-token.ts'

const BEARER = /^bearer +([^\s]+) *$/i

const MISSING: Verdict = { kind: 'missing' }
const OTHER_SCHEME: Verdict = {
  kind: 'refused',
  reason: 'The Authorization header is not of the form "Bearer" and one token.',
}
const OTHER_TOKEN: Verdict = {
  kind: 'refused',
  reason: `The token is not an API key, which begins with ${TOKEN_START}.`,
}

export class CredentialCheck implements Authenticator {
  readonly kinds: readonly string[]
  readonly #keys: Pick<KeyCheck, 'check'>

  constructor(keys: Pick<KeyCheck, 'check'>) {
    this.#keys = keys
    this.kinds = [`an API key as "Authorization: Bearer ${TOKEN_START}..."`]
  }

  authenticate({ authorization }: Credentials): Verdict | Promise<Verdict> {
    if (authorization === undefined) return MISSING
    const token = BEARER.exec(authorization)?.[1]
    if (token === undefined) return OTHER_SCHEME
    return token.startsWith(TOKEN_START) ? this.#keys.check(token) : OTHER_TOKEN
  }
}
