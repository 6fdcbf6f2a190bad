/** Follows the changes of groups, at one connector after the other. */
import { Client } from 'undici'
import type { Caller } from './caller.ts'
import { causeOf, connectorOf, type Source, type Tls } from './connection.ts'
import { type Endpoint, retryAfterIn } from './endpoint.ts'
import { EventStream } from './event-stream.ts'
import type { GroupFilter } from './groups.ts'
import { type Cause, CohortError } from './outcome.ts'
import { withQuery } from './paths.ts'
import { problemIn } from './problem.ts'
import type { Group } from './types.ts'

/** What a watch tells. */
export type WatchEvent =
  /** A group has this state now. */
  | Readonly<{ type: 'group'; group: Group; etag: string }>
  /** The group is deleted, or does not have the labels. `etag`: the last one that the connector knows. */
  | Readonly<{ type: 'group-deleted'; groupId: string; etag: string | null }>
  /** With `initial`: all groups that were there have come. */
  | Readonly<{ type: 'synced' }>
  /** Changes may be missing: drop what you hold. Without `initial`, read the list again. */
  | Readonly<{ type: 'reset'; reason: ResetReason }>

/** `connection_lost`: the connection ended before the watch had a place from which it could go on. */
export type ResetReason = 'place_lost' | 'coverage_lost' | 'client_too_slow' | 'connection_lost'

export type WatchQuery = GroupFilter &
  Readonly<{
    /** Whether all groups that are there come first, and then `synced`. */
    initial?: boolean | undefined
    /** The place of an earlier watch, from which this one goes on. */
    after?: string | undefined
  }>

export type WatchOptions = Readonly<{
  /** When it aborts, the watch throws its reason. */
  signal?: AbortSignal | undefined
  /** A connector that sends nothing for so long has died. Default: 40 s; comments come every 15 s. */
  silenceMs?: number | undefined
  /** Told when a connection is there, and when it was lost or could not be made. */
  onConnection?: ((connection: WatchConnection) => void) | undefined
}>

export type WatchConnection =
  | Readonly<{ state: 'connected'; url: string }>
  | Readonly<{ state: 'lost'; url: string; reason: string }>

export type WatchSettings = WatchQuery &
  WatchOptions &
  Readonly<{ caller: Caller; tls: Source<Tls> | undefined; nowMs: () => number }>

const SILENCE_MS = 40_000

/** Refusals that another connector, or a later time, does not change. */
const FINAL: readonly number[] = [400, 401, 403, 404]

/** A watch: iterate over it once. It goes on by itself, at any of the URLs, until it is ended. */
export class Watch implements AsyncIterable<WatchEvent> {
  readonly #settings: WatchSettings
  #place: string | undefined
  #hasWatched = false

  constructor(settings: WatchSettings) {
    this.#settings = settings
    this.#place = settings.after
  }

  /**
   * Everything before it was told. A later watch goes on from it (`after`). `undefined`: there is none now.
   */
  get place(): string | undefined {
    return this.#place
  }

  /**
   * The events. It ends when the client is closed.
   *
   * @throws CohortError when the API refuses the watch
   * @throws the reason of the signal
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    const { caller, signal, nowMs, onConnection } = this.#settings
    const { endpoints } = caller
    while (true) {
      signal?.throwIfAborted()
      const next = { asked: new Set<Endpoint>(), untilMs: Number.POSITIVE_INFINITY, signal }
      const endpoint = await endpoints.next(next)
      if (endpoint === undefined) return
      let end: End
      try {
        end = yield* this.#follow(endpoint)
      } catch (error) {
        signal?.throwIfAborted()
        if (error instanceof CohortError || !(error instanceof Error)) throw error
        end = { reason: messageOf(causeOf(error)) }
      }
      if (endpoints.isClosed) return
      endpoint.rest(nowMs(), end.retryAfterMs)
      onConnection?.({ state: 'lost', url: endpoint.url, reason: end.reason })
    }
  }

  async *#follow(endpoint: Endpoint): AsyncGenerator<WatchEvent, End, undefined> {
    const { tls, silenceMs = SILENCE_MS, caller, signal, onConnection } = this.#settings
    const { url } = endpoint
    const headers = await endpoint.authorization()
    const connection = new Client(new URL(url).origin, {
      connect: connectorOf(tls),
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
    })
    const { closing } = caller.endpoints
    const end = (): void => void connection.destroy()
    for (const each of [signal, closing]) each?.addEventListener('abort', end)
    try {
      const { prefix, labels, initial } = this.#settings
      const query = { prefix, labels, after: this.#place, initial: initial === true ? true : undefined }
      const path = endpoint.pathOf(withQuery('/v1/watch', query))
      const answer = await connection.request({ method: 'GET', path, headers })
      if (answer.statusCode !== 200) {
        const problem = problemIn(answer.statusCode, await answer.body.text())
        if (FINAL.includes(problem.status))
          throw new CohortError({ outcome: 'refused', problem, text: '', url })
        const retryAfterMs = retryAfterIn(answer.headers['retry-after'])
        return {
          reason: problem.detail === undefined ? problem.title : `${problem.title}: ${problem.detail}`,
          retryAfterMs,
        }
      }
      endpoint.succeed()
      caller.endpoints.prefer(endpoint)
      onConnection?.({ state: 'connected', url })
      // Without a place, nobody knows what has changed since the last connection.
      if (this.#hasWatched && this.#place === undefined) yield { type: 'reset', reason: 'connection_lost' }
      this.#hasWatched = true
      const stream = new EventStream()
      answer.body.setEncoding('utf8')
      for await (const text of answer.body) {
        for (const entry of stream.take(text)) {
          if (entry.kind === 'place') this.#place = entry.place
          else if (isKnown(entry.name)) yield { type: entry.name, ...JSON.parse(entry.data) } as WatchEvent
        }
      }
      return { reason: 'the connector has ended the watch' }
    } finally {
      for (const each of [signal, closing]) each?.removeEventListener('abort', end)
      await connection.destroy()
    }
  }
}

/** Why a connection ended. */
type End = Readonly<{ reason: string; retryAfterMs?: number | undefined }>

/** A newer connector may tell more. */
function isKnown(name: string): boolean {
  return ['group', 'group-deleted', 'synced', 'reset'].includes(name)
}

function messageOf(cause: Cause): string {
  return cause.kind === 'problem' ? cause.problem.title : cause.message
}
