/**
 * Watches whether what the primary acknowledges survives the loss of the primary: whether it waits for enough
 * standbys, whether they are there, and whether they do apply what is committed.
 */
import type { Client } from 'pg'
import type { Logger } from 'pino'
import { type Clock, sleep } from '../../process/clock.ts'
import { checkSchema } from './migrations.ts'
import { problemOf, rightsMissing } from './problems.ts'
import { destroyClient, lookAt, newClient, type Session, type Witness, witnessOf } from './session.ts'
import type { Sessions } from './sessions.ts'
import { standbysWaitedFor } from './synchronous-names.ts'

/** How often it looks, and how soon it looks again when it has seen nothing. */
const LOOK_MS = 2_000
const RETRY_MS = 100

/** A standby as the primary sees it. */
export type Standby = Readonly<{
  name: string
  address: string | null
  /** `streaming`, `catchup`, … */
  state: string
  /** Whether commits may wait for it. */
  isSynchronous: boolean
  replayLagMs: number | null
}>

/** What was seen of the primary last. */
export type PrimaryView = Readonly<{
  address: string
  clusterId: string
  version: string
  timeline: number
  /** The setting `synchronous_standby_names`. */
  synchronousNames: string
  /** For how many standbys a commit waits. */
  waitsFor: number
  standbys: readonly Standby[]
  /** The user of the connector may not see the state of the standbys. */
  isBlind: boolean
}>

/** Why changes cannot be made. `isPassing`: it is not known whether they could, and soon will be. */
export type Closed = Readonly<{ reason: string; isPassing: boolean }>

export type DurabilityOptions = Readonly<{
  sessions: Sessions
  /** How many standbys must have applied a change before it is acknowledged. */
  required: number
  clock: Clock
  timeoutMs: number
  logger: Pick<Logger, 'info' | 'warn'>
  /** Makes a client that is not connected yet. By default, one of the database. */
  clientOf?: typeof newClient
}>

const STANDBYS = `
  select application_name as name, host(client_addr) || ':' || client_port as address, state,
    sync_state in ('sync', 'quorum') as is_synchronous,
    extract(epoch from replay_lag) * 1000 as replay_lag_ms
  from pg_stat_replication order by application_name`

export class Durability {
  readonly #options: DurabilityOptions
  readonly #closing = new AbortController()
  #client: Client | undefined
  /** The client whose commits are watched. It may hang while the other one looks. */
  #committer: Client | undefined
  #isCommitting = false
  #witness: Witness | undefined
  /** Since when a commit is not confirmed. `undefined`: the last one was. */
  #unconfirmedMs: number | undefined
  #seenMs = 0
  #saidProblem: string | undefined
  view: PrimaryView | undefined
  /** Why the last look has seen nothing, as a sentence. */
  problem = 'The database has not been reached yet.'

  constructor(options: DurabilityOptions) {
    this.#options = options
  }

  /**
   * Why changes cannot be made safely at the moment, by a session or by any. `undefined`: they can.
   */
  whyClosed(session?: Pick<Session, 'address' | 'timeline'>): Closed | undefined {
    const { view } = this
    if (view === undefined || this.#isOld()) return { reason: this.problem, isPassing: true }
    if (session !== undefined && (session.address !== view.address || session.timeline !== view.timeline)) {
      return { reason: `The standbys of the primary ${session.address} are not known yet.`, isPassing: true }
    }
    const reason = this.whyNoWrites()
    return reason === undefined ? undefined : { reason, isPassing: false }
  }

  /** The view is too old to rely on: it could not be renewed. */
  #isOld(): boolean {
    const { clock, timeoutMs } = this.#options
    return clock.nowMs() - this.#seenMs > LOOK_MS + 2 * timeoutMs
  }

  /** Why changes cannot be made safely at the moment, as a sentence. `undefined`: they can. */
  whyNoWrites(): string | undefined {
    const { required, clock, timeoutMs } = this.#options
    const { view } = this
    if (view === undefined || this.#isOld()) return this.problem
    if (required === 0) return undefined
    if (view.isBlind) {
      const role = this.#options.sessions.place().user ?? 'of this connector'
      return rightsMissing(role, 'to see the standbys: "grant pg_read_all_stats" to it')
    }
    if (view.waitsFor < required) {
      return `The primary ${view.address} waits for ${standbys(view.waitsFor)} and must wait for ${required}: set its synchronous_standby_names to 'ANY ${required} (…)', or allow fewer with --synchronous-standbys.`
    }
    const there = view.standbys.filter(({ isSynchronous, state }) => isSynchronous && state === 'streaming')
    if (there.length < required) {
      return `The primary ${view.address} has ${there.length} of ${required} synchronous standbys: start the standbys; reads go on.`
    }
    const waitedMs = this.#unconfirmedMs === undefined ? 0 : clock.nowMs() - this.#unconfirmedMs
    if (waitedMs > timeoutMs) {
      return `The standbys of the primary ${view.address} do not apply what is committed: see why they hang; reads go on.`
    }
    return undefined
  }

  /** Looks until it is closed. */
  async run(): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#closing
    while (!signal.aborted) {
      const hasSeen = await this.look()
      await sleep(hasSeen ? LOOK_MS : RETRY_MS, clock, signal)
    }
  }

  /** Looks once, and says whether it has seen the primary. Never rejects. */
  async look(): Promise<boolean> {
    const { sessions, logger, clock } = this.#options
    const { host } = sessions
    let hasSeen = true
    try {
      this.view = await this.#see()
      this.#seenMs = clock.nowMs()
      this.#commit()
    } catch (error) {
      const problem = problemOf(error, sessions.place(host))
      hasSeen = false
      this.problem = problem.message
      this.#forget()
      if (problem.kind === 'elsewhere') sessions.moveFrom(host)
    }
    const why = this.whyNoWrites()
    if (why !== this.#saidProblem && !this.#closing.signal.aborted) {
      if (why === undefined) logger.info('changes are acknowledged again')
      else logger.warn(`no change is acknowledged: ${why}`)
      this.#saidProblem = why
    }
    return hasSeen
  }

  close(): void {
    this.#closing.abort()
    this.#forget()
  }

  /** @throws an error of the connection */
  async #see(): Promise<PrimaryView> {
    const { sessions, timeoutMs, clock } = this.#options
    const { host } = sessions
    if (this.#client === undefined) {
      this.#client = await this.#connect()
      this.#committer = await this.#connect()
      this.#witness = await witnessOf(this.#client, host.address)
      await this.#committer.query('set synchronous_commit = remote_apply')
    }
    const client = this.#client
    const late = clock.after(timeoutMs, () => this.#forget())
    try {
      const { version, timeline } = await lookAt(client, sessions.place(host))
      const clusterId = await checkSchema(client, sessions.place(host).database)
      const { rows: setting } = await client.query('show synchronous_standby_names')
      const { rows } = await client.query(STANDBYS)
      const names: string = setting[0].synchronous_standby_names
      return {
        address: host.address,
        clusterId,
        version,
        timeline,
        synchronousNames: names,
        waitsFor: standbysWaitedFor(names),
        isBlind: rows.some(({ state }) => state === null),
        standbys: rows.map((row) => ({
          name: row.name,
          address: row.address,
          state: row.state ?? 'unknown',
          isSynchronous: row.is_synchronous === true,
          replayLagMs: row.replay_lag_ms === null ? null : Math.round(Number(row.replay_lag_ms)),
        })),
      }
    } finally {
      late()
    }
  }

  async #connect(): Promise<Client> {
    const { sessions, timeoutMs, clientOf = newClient } = this.#options
    const client = clientOf(sessions.host.url, timeoutMs)
    client.on('error', () => this.#forget())
    await client.connect()
    return client
  }

  /** Commits something, and waits for the standbys as a change would. Only one such commit is out. */
  #commit(): void {
    const committer = this.#committer
    if (this.#isCommitting || committer === undefined) return
    this.#isCommitting = true
    this.#unconfirmedMs ??= this.#options.clock.nowMs()
    committer
      .query("select pg_logical_emit_message(true, 'cohort', '')")
      .then(() => {
        this.#unconfirmedMs = undefined
        if (committer === this.#committer) this.#options.sessions.witness = this.#witness
      })
      .catch(() => undefined)
      .finally(() => {
        if (committer === this.#committer) this.#isCommitting = false
      })
  }

  #forget(): void {
    this.#options.sessions.witness = undefined
    for (const client of [this.#client, this.#committer]) {
      if (client !== undefined) destroyClient(client)
    }
    this.#client = undefined
    this.#committer = undefined
    this.#isCommitting = false
  }
}

function standbys(count: number): string {
  return count === 0 ? 'no standby' : count === 1 ? '1 standby' : `${count} standbys`
}
