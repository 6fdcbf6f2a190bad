/**
 * Checks tokens of an OIDC issuer (JWT). The issuer, the audience and the signature algorithms are fixed by
 * the settings: what a token says about itself decides nothing.
 */
import { hash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Verdict } from './authenticator.ts'
import { type Caller, newCaller } from './caller.ts'
import { IssuerError, IssuerKeys, type IssuerKeysOptions } from './issuer-keys.ts'
import { matchingRule, type RoleRule } from './role-rules.ts'

export type TokenCheckOptions = IssuerKeysOptions &
  Readonly<{
    audience: string
    algorithms: readonly string[]
    /** Where a token has the values that the rules name: names of members, from the outermost. */
    roleClaim: readonly string[]
    rules: readonly RoleRule[]
    /** Milliseconds since 1970. */
    wallClockMs: () => number
  }>

/** How many tokens are remembered, and for how long: a signature takes much longer than all other checks. */
const TOKENS_MAX = 10_000
const REMEMBER_MS = 60_000
/** By how many seconds the clock of the issuer may differ. */
const CLOCK_TOLERANCE_S = 5
const TEXT_LENGTH_MAX = 256

const EXPIRED = { kind: 'refused', reason: 'The token has expired.' } as const

type Remembered = Readonly<{ caller: Caller; untilMs: number }>

export class TokenCheck {
  readonly #options: TokenCheckOptions
  readonly #remembered = new LRUCache<string, Remembered>({ max: TOKENS_MAX })
  readonly #keys: IssuerKeys

  constructor(options: TokenCheckOptions) {
    this.#options = options
    this.#keys = new IssuerKeys(options)
  }

  /** The kind of credentials, for people. */
  get kind(): string {
    return `a token of ${this.#options.issuer} as "Authorization: Bearer ..."`
  }

  check(token: string): Verdict | Promise<Verdict> {
    const digest = hash('sha256', token, 'base64')
    const remembered = this.#remembered.get(digest)
    if (remembered !== undefined && this.#options.wallClockMs() < remembered.untilMs) {
      return { kind: 'known', caller: remembered.caller }
    }
    return this.#verify(token, digest)
  }

  async #verify(token: string, digest: string): Promise<Verdict> {
    const { issuer, audience, algorithms, wallClockMs } = this.#options
    const nowMs = wallClockMs()
    try {
      const { payload } = await jwtVerify(token, (header, input) => this.#keys.find(header, input), {
        issuer,
        audience,
        algorithms: [...algorithms],
        requiredClaims: ['exp', 'sub'],
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(nowMs),
      })
      const caller = this.#callerOf(payload)
      if (caller === undefined) return { kind: 'refused', reason: 'The token does not name its subject.' }
      const untilMs = Math.min(nowMs + REMEMBER_MS, payload.exp! * 1_000)
      this.#remembered.set(digest, { caller, untilMs })
      return { kind: 'known', caller }
    } catch (error) {
      // What has expired is refused, also while it cannot be known who has signed it.
      if (error instanceof IssuerError && hasExpired(token, nowMs)) return EXPIRED
      return this.#refusal(error)
    }
  }

  /** The first rule that fits gives the role. A caller whom no rule names is known, and may do nothing. */
  #callerOf(payload: JWTPayload): Caller | undefined {
    const { roleClaim, rules } = this.#options
    const id = textOf(payload.sub)
    if (id === undefined) return undefined
    const rule = matchingRule(rules, valuesOf(payload, roleClaim))
    const { preferred_username: user, email, client_id: client } = payload
    const name = [user, email, client].map(textOf).find((text) => text !== undefined) ?? id
    return newCaller({ kind: 'jwt', id, name, role: rule?.role ?? 'none', prefix: rule?.prefix ?? '' })
  }

  #refusal(error: unknown): Verdict {
    const { issuer, audience, algorithms } = this.#options
    if (error instanceof IssuerError) {
      return { kind: 'unavailable', reason: `the issuer ${issuer} could not be asked for its keys` }
    }
    if (!(error instanceof errors.JOSEError)) throw error
    return { kind: 'refused', reason: reasonOf(error, { issuer, audience, algorithms }) }
  }
}

/** Whether a token says that it has expired. Its signature is not looked at. */
function hasExpired(token: string, nowMs: number): boolean {
  try {
    const { exp } = decodeJwt(token)
    return typeof exp === 'number' && exp <= Math.floor(nowMs / 1_000) - CLOCK_TOLERANCE_S
  } catch {
    return false
  }
}

/** Why a token is refused. Nothing of the token is in it. */
function reasonOf(
  error: errors.JOSEError,
  { issuer, audience, algorithms }: Pick<TokenCheckOptions, 'issuer' | 'audience' | 'algorithms'>,
): string {
  if (error instanceof errors.JWTExpired) return EXPIRED.reason
  if (error instanceof errors.JOSEAlgNotAllowed) {
    return `The token is not signed with ${algorithms.join(', ')}.`
  }
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return `The token is not of the issuer ${issuer}.`
    if (error.claim === 'aud') return `The token is not for the audience ${audience}.`
    return `The claim ${error.claim} of the token is missing or not valid.`
  }
  if (
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys
  ) {
    return 'The signature of the token is not valid.'
  }
  return 'The token is malformed.'
}

/** The texts of a claim: it may be one text, words with spaces between them, or a list. */
function valuesOf(payload: JWTPayload, path: readonly string[]): ReadonlySet<string> {
  let value: unknown = payload
  for (const name of path) {
    const isObject = typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    value = isObject ? (value as Record<string, unknown>)[name] : undefined
  }
  const texts = [value].flat().filter((text) => typeof text === 'string')
  return new Set(typeof value === 'string' ? [...texts, ...value.split(' ')] : texts)
}

/** A text that may be stored and logged. */
function textOf(value: unknown): string | undefined {
  const isText =
    typeof value === 'string' &&
    value !== '' &&
    value.length <= TEXT_LENGTH_MAX &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  return isText ? value : undefined
}
