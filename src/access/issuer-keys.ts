/** The keys with which an OIDC issuer signs tokens: fetched when a token needs them, and kept for a time. */
import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import type { Logger } from 'pino'
import type { Clock } from '../process/clock.ts'

export type IssuerKeysOptions = Readonly<{
  issuer: string
  clock: Pick<Clock, 'nowMs' | 'after'>
  logger: Pick<Logger, 'info' | 'warn'>
  /** Gets a document of the issuer. Default: by HTTP. */
  fetchJson?: (url: string, signal: AbortSignal) => Promise<unknown>
}>

/** How long both documents of the issuer may take together. */
export const FETCH_TIMEOUT_MS = 5_000
/** How large a document of the issuer may be. Keys of an issuer are some kilobytes. */
const DOCUMENT_BYTES_MAX = 1_048_576
/**
 * How old keys may be. A key that the issuer has removed is taken for so long, and a token that it has signed
 * for a minute more, since tokens that were checked are remembered.
 */
export const KEYS_AGE_MS_MAX = 600_000
/**
 * The least age of the keys at which a token makes them be fetched again because its key is unknown or cannot
 * be used.
 */
export const UNKNOWN_KEY_AGE_MS = 30_000
/** After a failure the issuer is not asked again for this time. */
const PAUSE_MS = 1_000
/** Longer reasons of a failure are cut in the log. */
const REASON_LENGTH_MAX = 300
/** The least length of a key with which RSA may sign (RFC 7518 §3.3). */
const RSA_BITS_MIN = 2_048

type Keys = Readonly<{ find: JWTVerifyGetKey; fetchedAtMs: number }>

/** The issuer did not answer, or not with what it should: it is not known whether a token is valid. */
export class IssuerError extends Error {
  constructor(options?: ErrorOptions) {
    super('the issuer could not be asked', options)
  }
}

export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  #keys: Keys | undefined
  #fetching: Promise<Keys> | undefined
  #failedAtMs = Number.NEGATIVE_INFINITY
  #isFailing = false

  constructor(options: IssuerKeysOptions) {
    this.#options = options
  }

  /**
   * The key that a token names. While the issuer does not answer, keys that are not too old count as before,
   * so that a token of an unknown key does not make the other tokens fail.
   *
   * @throws IssuerError, or an error of jose when the issuer has no such key
   */
  async find(...args: Parameters<JWTVerifyGetKey>): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
    const known =
      this.#keys !== undefined && this.#ageOf(this.#keys) < KEYS_AGE_MS_MAX ? this.#keys : undefined
    const keys = known ?? (await this.#fetch())
    try {
      return await this.#findIn(keys, args)
    } catch (error) {
      const mayHaveChanged = error instanceof errors.JWKSNoMatchingKey || error instanceof IssuerError
      if (!mayHaveChanged || this.#ageOf(keys) < UNKNOWN_KEY_AGE_MS) throw error
    }
    return this.#findIn(await this.#fetch(), args)
  }

  /** A key of the issuer that cannot be used is a fault of the issuer, and not of the token. */
  async #findIn(
    keys: Keys,
    args: Parameters<JWTVerifyGetKey>,
  ): Promise<Awaited<ReturnType<JWTVerifyGetKey>>> {
    try {
      const key = await keys.find(...args)
      const { modulusLength } = Object((key as { algorithm?: unknown }).algorithm) as {
        modulusLength?: number
      }
      if (modulusLength !== undefined && modulusLength < RSA_BITS_MIN)
        throw new Error(`a key of it has ${modulusLength} bits, and RSA needs ${RSA_BITS_MIN}`)
      return key
    } catch (cause) {
      if (cause instanceof errors.JWKSNoMatchingKey || cause instanceof errors.JWKSMultipleMatchingKeys)
        throw cause
      this.#report(cause)
      throw new IssuerError({ cause })
    }
  }

  #ageOf({ fetchedAtMs }: Keys): number {
    return this.#options.clock.nowMs() - fetchedAtMs
  }

  /** Rejects with an IssuerError. All who wait for keys wait for the same answer. */
  #fetch(): Promise<Keys> {
    if (this.#options.clock.nowMs() - this.#failedAtMs < PAUSE_MS) return Promise.reject(new IssuerError())
    this.#fetching ??= this.#renew().finally(() => {
      this.#fetching = undefined
    })
    return this.#fetching
  }

  async #renew(): Promise<Keys> {
    try {
      this.#keys = await this.#ask()
    } catch (cause) {
      this.#failedAtMs = this.#options.clock.nowMs()
      this.#report(cause)
      throw new IssuerError({ cause })
    }
    this.#report(undefined)
    return this.#keys
  }

  /** Asks the issuer where its keys are (OpenID Connect Discovery §4), and then for the keys. */
  async #ask(): Promise<Keys> {
    const { issuer, clock, fetchJson = fetchByHttp } = this.#options
    const abort = new AbortController()
    const cancel = clock.after(FETCH_TIMEOUT_MS, () =>
      abort.abort(new Error(`it did not answer within ${FETCH_TIMEOUT_MS / 1_000} s`)),
    )
    try {
      const found = await fetchJson(
        `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`,
        abort.signal,
      )
      const keysUrl = keysUrlIn(found, issuer)
      // A key that was removed while the answer was on its way counts as fetched when it was asked for.
      const fetchedAtMs = clock.nowMs()
      const find = createLocalJWKSet((await fetchJson(keysUrl, abort.signal)) as never)
      return { find, fetchedAtMs }
    } finally {
      cancel()
    }
  }

  /** One line when the issuer begins to fail, and one when it answers again. */
  #report(failure: unknown): void {
    const { issuer, logger } = this.#options
    const isFailing = failure !== undefined
    if (isFailing === this.#isFailing) return
    this.#isFailing = isFailing
    if (!isFailing) return logger.info({ issuer }, 'the issuer of tokens answers again')
    logger.warn(
      { issuer, reason: reasonOf(failure) },
      'the issuer of tokens could not be asked for its keys: tokens that need them get 503 until it answers, and other credentials are taken as before',
    )
  }
}

function keysUrlIn(document: unknown, issuer: string): string {
  const { issuer: named, jwks_uri: keysUrl } = Object(document) as { issuer?: unknown; jwks_uri?: unknown }
  if (named !== issuer) throw new Error('the document is of another issuer')
  if (typeof keysUrl !== 'string' || !URL.canParse(keysUrl)) {
    throw new Error('the document does not say where the keys are')
  }
  if (new URL(issuer).protocol === 'https:' && new URL(keysUrl).protocol !== 'https:') {
    throw new Error('the keys are not behind https')
  }
  return keysUrl
}

/** The innermost reason: a failed fetch says only in its cause what has failed. */
function reasonOf(error: unknown): string {
  const { message, cause } = Object(error) as Partial<Error>
  return cause === undefined ? String(message ?? error).slice(0, REASON_LENGTH_MAX) : reasonOf(cause)
}

async function fetchByHttp(url: string, signal: AbortSignal): Promise<unknown> {
  const answer = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } })
  if (!answer.ok) throw new Error(`it answered ${answer.status} for ${url}`)
  return bounded(answer).json()
}

/** An answer whose body fails when it is too large, so that it does not fill the memory. */
function bounded(answer: Response): Response {
  let bytes = 0
  const limit = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      bytes += chunk.byteLength
      if (bytes > DOCUMENT_BYTES_MAX) controller.error(new Error('its document is too large'))
      else controller.enqueue(chunk)
    },
  })
  return new Response(answer.body?.pipeThrough(limit) ?? null)
}
