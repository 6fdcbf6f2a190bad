/** One connector: its URL, its connections, and when it may be asked again. */
import { errors, Pool } from 'undici'
import { causeOf, connectorOf, type Source, type Tls } from './connection.ts'
import type { Cause, Done } from './outcome.ts'
import { problemIn } from './problem.ts'

export type Request = Readonly<{
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  path: string
  headers?: Readonly<{ [name: string]: string }>
  body?: string
}>

/**
 * An API key or a token, or a function that gives it for the connector at a URL. `undefined`: none is sent.
 */
export type Key = string | ((url: string) => string | undefined | Promise<string | undefined>)

export type EndpointOptions = Readonly<{
  url: string
  key: Key | undefined
  tls: Source<Tls> | undefined
  connections: number
}>

export type SendOptions = Readonly<{ answerTimeoutMs: number; signal: AbortSignal | undefined }>

/** What became of one request to one connector. `retryAfterMs`: as the answer asks for. */
export type Sent =
  | Done<unknown>
  | Readonly<{ outcome: 'failed'; cause: Cause; retryAfterMs: number | undefined; url: string }>

/** The first pause after a failure. It doubles with each further one. */
const REST_MS = 100
const REST_MS_MAX = 2_000

export class Endpoint {
  readonly url: string
  readonly #options: EndpointOptions
  readonly #basePath: string
  #pool: Pool | undefined
  #failures = 0
  /** Until when the connector is rather not asked. */
  restsUntilMs = Number.NEGATIVE_INFINITY
  /** Whether the connector has asked for that rest itself (`Retry-After`). */
  isRestOrdered = false

  constructor(options: EndpointOptions) {
    this.#options = options
    this.url = options.url.replace(/\/+$/, '')
    const { protocol, pathname } = new URL(this.url)
    if (protocol !== 'http:' && protocol !== 'https:')
      throw new TypeError(`${options.url} is not an HTTP URL`)
    this.#basePath = pathname.replace(/\/+$/, '')
  }

  /** The path of a request to this connector, with what the URL has in front of `/v1`. */
  pathOf(path: string): string {
    return this.#basePath + path
  }

  /** What shows who this client is. It is asked for anew for each request. */
  async authorization(): Promise<{ [name: string]: string }> {
    const { key } = this.#options
    const now = typeof key === 'function' ? await key(this.url) : key
    return now === undefined ? {} : { authorization: `Bearer ${now.trim()}` }
  }

  /** Sends a request once. @throws the reason of the signal, or what `key` has thrown */
  async send(request: Request, options: SendOptions): Promise<Sent> {
    const authorization = await this.authorization()
    const sent = await this.#sendAs(authorization, request, options)
    if (!isUnauthenticated(sent) || typeof this.#options.key !== 'function') return sent
    // The key may have been changed since it was read. Nothing was done with the old one.
    const now = await this.authorization()
    if (now.authorization === authorization.authorization) return sent
    return this.#sendAs(now, request, options)
  }

  async #sendAs(
    authorization: { [name: string]: string },
    { method, path, headers, body }: Request,
    { answerTimeoutMs, signal }: SendOptions,
  ): Promise<Sent> {
    const { url } = this
    signal?.throwIfAborted()
    try {
      const answer = await this.#connected().request({
        method,
        path: this.pathOf(path),
        headers: { ...headers, ...authorization },
        ...(body === undefined ? {} : { body }),
        ...(signal === undefined ? {} : { signal }),
        headersTimeout: answerTimeoutMs,
        bodyTimeout: answerTimeoutMs,
      })
      const text = await answer.body.text()
      const { statusCode: status } = answer
      if (status < 200 || status > 299) {
        const retryAfterMs = retryAfterIn(answer.headers['retry-after'])
        const cause: Cause = { kind: 'problem', problem: problemIn(status, text), text }
        return { outcome: 'failed', cause, retryAfterMs, url }
      }
      const { etag, 'idempotency-replayed': replayed } = answer.headers
      return {
        outcome: 'done',
        status,
        value: JSON.parse(text),
        etag: typeof etag === 'string' ? etag : undefined,
        isReplayed: replayed === 'true',
        text,
        url,
      }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof Error) || error instanceof errors.InvalidArgumentError) throw error
      return { outcome: 'failed', cause: causeOfAnswer(error), retryAfterMs: undefined, url }
    }
  }

  /** The connector has answered as it should. */
  succeed(): void {
    this.#failures = 0
    this.restsUntilMs = Number.NEGATIVE_INFINITY
    this.isRestOrdered = false
  }

  /** The connector is rather not asked for a while: for as long as it says, or a little longer each time. */
  rest(nowMs: number, retryAfterMs: number | undefined): void {
    const ownMs = Math.min(REST_MS_MAX, REST_MS * 2 ** this.#failures) * (0.5 + Math.random() / 2)
    this.#failures = Math.min(this.#failures + 1, 10)
    this.restsUntilMs = nowMs + (retryAfterMs ?? ownMs)
    this.isRestOrdered = retryAfterMs !== undefined
  }

  /** Closes all connections, also those on which a request is under way. */
  async close(): Promise<void> {
    await this.#pool?.destroy()
  }

  #connected(): Pool {
    const { tls, connections } = this.#options
    this.#pool ??= new Pool(new URL(this.url).origin, {
      connections,
      pipelining: 1,
      connect: connectorOf(tls),
    })
    return this.#pool
  }
}

function causeOfAnswer(error: Error): Cause {
  if (!(error instanceof SyntaxError)) return causeOf(error)
  return { kind: 'unanswered', failure: 'answer_not_json', message: error.message }
}

function isUnauthenticated(sent: Sent): boolean {
  return sent.outcome === 'failed' && sent.cause.kind === 'problem' && sent.cause.problem.status === 401
}

/** The wait that a header `Retry-After` asks for: seconds, or a date. */
export function retryAfterIn(header: string | string[] | undefined): number | undefined {
  if (typeof header !== 'string') return undefined
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
  const atMs = Date.parse(header)
  return Number.isNaN(atMs) ? undefined : Math.max(0, atMs - Date.now())
}
