import type { Caller } from './caller.ts'

/** What a request shows about its caller. */
export type Credentials = Readonly<{
  /** The header `Authorization`. */
  authorization: string | undefined
  /** The connection of the request, as an object that no other connection has. */
  connection?: object
  /** The subject of the client certificate, if the client has shown a valid one. */
  certificateSubject?: () => string | undefined
}>

/** What became of the credentials of a request. */
export type Verdict =
  | Readonly<{ kind: 'known'; caller: Caller }>
  /** There are none. */
  | Readonly<{ kind: 'missing' }>
  /** They are not valid. `reason` is a sentence for people, and holds nothing of the credentials. */
  | Readonly<{ kind: 'refused'; reason: string }>
  /** It is not known whether they are valid. `reason` is a sentence without its full stop. */
  | Readonly<{ kind: 'unavailable'; reason: string }>

/** Finds out who sends a request. */
export interface Authenticator {
  /** The kinds of credentials that it takes, each as a phrase for people. */
  readonly kinds: readonly string[]
  /** It answers at once where it can, so that a request costs no turn of the event loop. Never rejects. */
  authenticate(credentials: Credentials): Verdict | Promise<Verdict>
}
