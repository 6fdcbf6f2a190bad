/** The sessions of a connector with the primary, whichever of the hosts that is at the moment. */
import type { Logger } from 'pino'
import type { Database, DatabaseHost } from '../../config/database-url.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import { DatabaseProblem, problemOf } from './problems.ts'
import { openSession, type Session, type Witness } from './session.ts'

/**
 * How many sessions a connector has with the primary at most. Each commit waits for a standby, so changes at
 * once need sessions of their own.
 */
const SESSIONS_MAX = 16
/** The pause after a connection that failed. */
const RETRY_MS = 50

export type SessionsOptions = Readonly<{
  database: Database
  /** The only cluster that may be in the database. `undefined`: any. */
  clusterId: string | undefined
  clock: Clock
  timeoutMs: number
  logger: Pick<Logger, 'info' | 'warn'>
  /** Opens a session. By default, on the database. */
  open?: typeof openSession
}>

export class Sessions {
  readonly #options: SessionsOptions
  readonly #idle: Session[] = []
  readonly #busy = new Set<Session>()
  /** Sessions, and those that are being opened. */
  #count = 0
  #waiting: (() => void)[] = []
  #hostIndex = 0
  #timeline = 0
  #primary: string | undefined
  #isClosed = false
  /** Why the last connection failed. `undefined`: it was opened. */
  problem: DatabaseProblem | undefined
  /** Given while it is known that the primary shows nothing that a standby may lack. */
  witness: Witness | undefined
  /** How many sessions have ended because their connection broke. */
  brokenCount = 0

  constructor(options: SessionsOptions) {
    this.#options = options
  }

  /** The host where the primary is, or is looked for next. */
  get host(): DatabaseHost {
    return this.#options.database.hosts[this.#hostIndex]!
  }

  get count(): number {
    return this.#idle.length + this.#busy.size
  }

  /** The highest timeline that was seen. Each promotion of a standby begins the next one. */
  get timeline(): number {
    return this.#timeline
  }

  place(host: DatabaseHost = this.host) {
    const { database } = this.#options
    return { address: host.address, database: database.name, user: database.user }
  }

  /** This host is not the primary: the next one may be. */
  moveFrom(host: DatabaseHost): void {
    if (host === this.host) this.#hostIndex = (this.#hostIndex + 1) % this.#options.database.hosts.length
  }

  /**
   * A session, which the caller releases.
   *
   * @throws DatabaseProblem when there is none before `untilMs`, or when only a person can mend the database
   */
  async acquire(untilMs: number): Promise<Session> {
    const { clock } = this.#options
    for (;;) {
      for (let session = this.#idle.pop(); session !== undefined; session = this.#idle.pop()) {
        if (session.broken === undefined && session.timeline === this.#timeline) return this.#lend(session)
        this.#drop(session)
      }
      const restMs = untilMs - clock.nowMs()
      if (this.#isClosed || restMs <= 0) {
        throw this.problem ?? new DatabaseProblem('waiting', 'All connections to the database are busy.')
      }
      if (this.#count >= SESSIONS_MAX) {
        await this.#released(restMs)
        continue
      }
      const session = await this.#open(restMs)
      if (session !== undefined) return this.#lend(session)
      if (this.problem?.kind === 'setup') throw this.problem
      await this.#released(Math.min(restMs, RETRY_MS))
    }
  }

  /** Gives a session back. A broken one is closed. */
  release(session: Session): void {
    this.#busy.delete(session)
    if (session.broken !== undefined || this.#isClosed) this.#drop(session)
    else this.#idle.push(session)
    this.#wake()
  }

  close(): void {
    this.#isClosed = true
    for (const session of [...this.#idle, ...this.#busy]) session.destroy()
    this.#idle.length = 0
    for (const wake of this.#waiting.splice(0)) wake()
  }

  async #open(limitMs: number): Promise<Session | undefined> {
    const { clock, timeoutMs, logger, open = openSession } = this.#options
    const { host } = this
    this.#count += 1
    try {
      const session = await open({
        host,
        place: this.place(host),
        clock,
        limitMs: Math.min(limitMs, timeoutMs),
        timeoutMs,
        clusterId: this.#options.clusterId,
        timelineMin: this.#timeline,
        witness: this.witness,
        log: (message) => logger.warn({ address: host.address }, message),
      })
      this.problem = undefined
      this.#timeline = Math.max(this.#timeline, session.timeline)
      if (this.#primary !== host.address) logger.info({ address: host.address }, 'found the primary')
      this.#primary = host.address
      if (!this.#isClosed) return session
      session.destroy()
    } catch (error) {
      this.problem = problemOf(error, this.place(host))
      if (this.problem.kind === 'elsewhere') this.moveFrom(host)
    }
    this.#count -= 1
    this.#wake()
    return undefined
  }

  #lend(session: Session): Session {
    this.#busy.add(session)
    return session
  }

  #drop(session: Session): void {
    this.#count -= 1
    this.brokenCount += 1
    session.destroy()
  }

  /** Resolves when a session is released, or after `ms`. */
  async #released(ms: number): Promise<void> {
    const woken = new AbortController()
    const wake = () => woken.abort()
    this.#waiting.push(wake)
    await sleep(ms, this.#options.clock, woken.signal)
    this.#waiting = this.#waiting.filter((other) => other !== wake)
  }

  #wake(): void {
    this.#waiting.shift()?.()
  }
}
