import { ApiKeys, Backup, Cluster } from './admin.ts'
import { Caller } from './caller.ts'
import type { Source, Tls } from './connection.ts'
import { Endpoint, type Key } from './endpoint.ts'
import { Endpoints } from './endpoints.ts'
import { GroupMembers } from './group-members.ts'
import { Groups } from './groups.ts'
import { Watch, type WatchOptions, type WatchQuery } from './watch.ts'

export type ClientOptions = Readonly<{
  /**
   * Where connectors are: `http://host:port`, or with a path in front of `/v1`. The first one that works is
   * used until it fails.
   */
  urls: readonly string[]
  /**
   * An API key, or a token of the OIDC issuer. A function is asked before each request, and once more after a
   * 401, so that a key can change while the client runs (see `keyFrom`). It is given the URL.
   */
  key?: Key | undefined
  /** For HTTPS. A function is asked before each new connection. */
  tls?: Source<Tls> | undefined
  /** How long, in milliseconds, a request is repeated. Default: 10 s. See `CallOptions`. */
  patienceMs?: number | undefined
  /** How long to wait for an answer. It is more than the TIMEOUT of the connectors. Default: 10 s. */
  answerTimeoutMs?: number | undefined
  /** How many connections to each connector may be open. Default: 16. */
  connections?: number | undefined
}>

const PATIENCE_MS = 10_000
const ANSWER_TIMEOUT_MS = 10_000
const CONNECTIONS = 16

/** A client of a cluster. It may be used by many callers at once. Close it at the end. */
export class CohortClient implements AsyncDisposable {
  readonly groups: Groups
  readonly members: GroupMembers
  readonly cluster: Cluster
  readonly keys: ApiKeys
  readonly backup: Backup
  readonly #caller: Caller
  readonly #endpoints: Endpoints
  readonly #tls: Source<Tls> | undefined

  /** @throws TypeError when there is no URL, or one that is none */
  constructor({
    urls,
    key,
    tls,
    patienceMs = PATIENCE_MS,
    answerTimeoutMs = ANSWER_TIMEOUT_MS,
    connections = CONNECTIONS,
  }: ClientOptions) {
    const nowMs = (): number => performance.now()
    const all = urls.map((url) => new Endpoint({ url, key, tls, connections }))
    this.#endpoints = new Endpoints(all, nowMs)
    this.#tls = tls
    this.#caller = new Caller({ endpoints: this.#endpoints, patienceMs, answerTimeoutMs, nowMs })
    this.groups = new Groups(this.#caller)
    this.members = new GroupMembers(this.#caller)
    this.cluster = new Cluster(this.#caller)
    this.keys = new ApiKeys(this.#caller)
    this.backup = new Backup(this.#caller)
  }

  /** Follows the changes of groups. Iterate over the result. */
  watch(query: WatchQuery = {}, options: WatchOptions = {}): Watch {
    const nowMs = (): number => performance.now()
    return new Watch({ ...query, ...options, caller: this.#caller, tls: this.#tls, nowMs })
  }

  /**
   * Closes all connections, also those on which a request is under way. Calls that wait end with what they
   * know.
   */
  close(): Promise<void> {
    return this.#endpoints.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}
