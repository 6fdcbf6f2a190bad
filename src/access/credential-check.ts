/** Finds out who sends a request, from the header `Authorization`, else from the client certificate. */
import type { Authenticator, Credentials, Verdict } from './authenticator.ts'
import { CERTIFICATE_KIND, checkCertificate } from './certificate-check.ts'
import type { KeyCheck } from './key-check.ts'
import { TOKEN_START } from './key-token.ts'
import type { RoleRule } from './role-rules.ts'
import type { TokenCheck } from './token-check.ts'

export type CredentialCheckOptions = Readonly<{
  keys: Pick<KeyCheck, 'check'>
  /** Given if tokens of an issuer are taken. */
  tokens?: Pick<TokenCheck, 'check' | 'kind'> | undefined
  /** Which role each client certificate has. They may change over time. Given if certificates are taken. */
  clientRoles?: (() => readonly RoleRule[]) | undefined
}>

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
  readonly #options: CredentialCheckOptions

  constructor(options: CredentialCheckOptions) {
    this.#options = options
    const { tokens, clientRoles } = options
    const key = `an API key as "Authorization: Bearer ${TOKEN_START}..."`
    this.kinds = [
      key,
      ...(tokens === undefined ? [] : [tokens.kind]),
      ...(clientRoles === undefined ? [] : [CERTIFICATE_KIND]),
    ]
  }

  authenticate({ authorization, connection, certificateSubject }: Credentials): Verdict | Promise<Verdict> {
    if (authorization === undefined) return this.#checkCertificate(certificateSubject)
    const token = BEARER.exec(authorization)?.[1]
    if (token === undefined) return OTHER_SCHEME
    const { keys, tokens } = this.#options
    if (token.startsWith(TOKEN_START)) return keys.check(token, connection)
    return tokens === undefined ? OTHER_TOKEN : tokens.check(token)
  }

  #checkCertificate(certificateSubject: Credentials['certificateSubject']): Verdict {
    const { clientRoles } = this.#options
    const subject = clientRoles === undefined ? undefined : certificateSubject?.()
    return subject === undefined ? MISSING : checkCertificate(subject, clientRoles!())
  }
}
