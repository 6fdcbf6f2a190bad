import type { Role } from './role.ts'

/** How a caller has shown who it is. */
export type CallerKind =
  /** It has not. On an open connector everyone is anonymous. */
  | 'anonymous'
  /** By an API key that is kept in the cluster. */
  | 'key'
  /** By the admin key whose hash is in ADMIN_KEY_FILE. */
  | 'admin-key'
  /** By a token of the OIDC issuer. */
  | 'jwt'
  /** By a client certificate. */
  | 'certificate'

/** Who sends a request, and what it may do. It holds no secret, so it may be logged and stored. */
export type Caller = Readonly<{
  kind: CallerKind
  /**
   * Names the caller among those of its kind: the public id of a key, the `sub` of a token, the subject of a
   * certificate. At most 256 characters, none of them a control character.
   */
  id: string
  /** For people: the name of a key, for example. With the limits of `id`. */
  name: string
  role: Role
  /** The caller may read and change only groups whose id begins with this text. `''`: all groups. */
  prefix: string
  /** `kind:id`, which is unique among all callers. */
  ref: string
}>

export function newCaller({ kind, id, ...rest }: Omit<Caller, 'ref'>): Caller {
  return Object.freeze({ kind, id, ...rest, ref: `${kind}:${id}` })
}

/** Everyone who speaks to a connector without authentication. */
export const EVERYONE: Caller = newCaller({
  kind: 'anonymous',
  id: 'everyone',
  name: 'everyone',
  role: 'admin',
  prefix: '',
})

/** The caller of a request before, or without, authentication. It has no right. */
export const NOBODY: Caller = newCaller({
  kind: 'anonymous',
  id: 'nobody',
  name: 'nobody',
  role: 'none',
  prefix: '',
})

/** Whether a caller with this prefix may see and change what another text names: a groupId, or a prefix. */
export function isWithin(prefix: string, text: string): boolean {
  return text.startsWith(prefix)
}
