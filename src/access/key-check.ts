import type { Verdict } from './authenticator.ts'
import { type Caller, newCaller } from './caller.ts'
import type { FailedLookup, KeyCache, Lookup } from './key-cache.ts'
import { hashToken, idOfToken, isSameHash, isSameToken } from './key-token.ts'

export type KeyCheckOptions = Readonly<{
  /** `undefined`: the engine keeps no keys. */
  cache: Pick<KeyCache, 'find'> | undefined
  /** The hashes of the admin keys of this connector. They may change over time. */
  adminHashes: () => readonly Uint8Array[]
  /** Milliseconds since 1970. */
  wallClockMs: () => number
  /** Called when a key was used whose last recorded use was at `lastUsedAtMs`. */
  onUse: (keyId: string, lastUsedAtMs: number, usedAtMs: number) => void
}>

const MALFORMED = 'The API key is malformed: it may be cut off, or mistyped.'
/**
 * The same for an id that nobody has and for a wrong secret, so that nobody learns which ids there are.
 */
const INVALID = 'The API key is not valid: it may have been revoked or replaced.'

/** What a token says by itself. `keyId` is `undefined` for a malformed one. */
type ReadToken = Readonly<{ bytes: Uint8Array; keyId: string | undefined; hash: Uint8Array }>

/** Checks API keys. A wrong key goes the same way as a right one, and so takes as long. */
export class KeyCheck {
  readonly #options: KeyCheckOptions
  /**
   * The last well-formed token on each connection. Most clients send the same one with each request,
   * and its hash is most of what a check costs. Only the reading is remembered: each request is judged
   * anew.
   */
  readonly #lastTokens = new WeakMap<object, ReadToken>()

  constructor(options: KeyCheckOptions) {
    this.#options = options
  }

  /** `connection`: an object for the connection on which the token came. */
  check(token: string, connection?: object): Verdict | Promise<Verdict> {
    const { keyId, hash } = this.#read(token, connection)
    if (keyId === undefined) return { kind: 'refused', reason: MALFORMED }
    const { adminHashes, cache } = this.#options
    let isAdmin = false
    for (const adminHash of adminHashes()) isAdmin = isSameHash(hash, adminHash) || isAdmin
    // It is taken without asking the cluster, so that it works when the cluster has no quorum.
    if (isAdmin) return { kind: 'known', caller: adminOf(keyId) }
    if (cache === undefined) return { kind: 'refused', reason: INVALID }
    const found = cache.find(keyId)
    return found instanceof Promise
      ? found.then((lookup) => this.#judge(keyId, hash, lookup))
      : this.#judge(keyId, hash, found)
  }

  #read(token: string, connection: object | undefined): ReadToken {
    const last = connection === undefined ? undefined : this.#lastTokens.get(connection)
    const bytes = Buffer.from(token)
    // The last token may be that of somebody else: a proxy sends the requests of many on one connection.
    if (last !== undefined && isSameToken(bytes, last.bytes)) return last
    const keyId = idOfToken(token)
    if (keyId === undefined) return { bytes, keyId, hash: NO_HASH }
    // Copies: `bytes` is a part of a large buffer, which would be kept as long as the connection is open.
    const read = { bytes: Uint8Array.from(bytes), keyId, hash: Uint8Array.from(hashToken(token)) }
    if (connection !== undefined) this.#lastTokens.set(connection, read)
    return read
  }

  #judge(keyId: string, hash: Uint8Array, lookup: Lookup | FailedLookup): Verdict {
    if ('failure' in lookup) {
      return { kind: 'unavailable', reason: `the API key could not be checked (${lookup.failure})` }
    }
    const { key } = lookup
    const nowMs = this.#options.wallClockMs()
    const isCurrent = isSameHash(hash, key?.hash ?? NO_HASH)
    const isPrevious = isSameHash(hash, key?.previous?.hash ?? NO_HASH) && nowMs < key!.previous!.validUntilMs
    if (key === undefined || !(isCurrent || isPrevious)) return { kind: 'refused', reason: INVALID }
    if (nowMs >= key.expiresAtMs) {
      const at = new Date(key.expiresAtMs).toISOString()
      return { kind: 'refused', reason: `The API key ${key.caller.name} (${keyId}) expired at ${at}.` }
    }
    this.#options.onUse(keyId, key.lastUsedAtMs, nowMs)
    return { kind: 'known', caller: key.caller }
  }
}

function adminOf(keyId: string): Caller {
  return newCaller({ kind: 'admin-key', id: keyId, name: 'admin key', role: 'admin', prefix: '' })
}

/** What an unknown key is compared with. No key has this hash. */
const NO_HASH = new Uint8Array(32)
