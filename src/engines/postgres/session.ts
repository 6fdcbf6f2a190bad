/** One connection to the primary, prepared so that a change that it acknowledges is on the standbys too. */
import { Client } from 'pg'
import type { DatabaseHost } from '../../config/database-url.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import { checkSchema } from './migrations.ts'
import { DatabaseProblem, type Place, problemOf, readOnly } from './problems.ts'

/** The oldest server that this program works with: `server_version_num`. */
const SERVER_MIN = { number: 140_000, name: '14' }

export type SessionOptions = Readonly<{
  host: DatabaseHost
  place: Place
  clock: Pick<Clock, 'nowMs' | 'after'>
  /** The longest time of a connect, in milliseconds, and the longest time of any statement on the server. */
  timeoutMs: number
  /** A primary with an older timeline than this is one that has been replaced. */
  timelineMin: number
  log: (message: string) => void
}>

/** A statement that was not answered in time. It may have been committed. */
export class LateAnswerError extends Error {
  override name = 'LateAnswerError'
}

export class Session {
  readonly client: Client
  readonly address: string
  readonly timeline: number
  /** Add it to the time of the clock of this process, and it is the time of the server. */
  readonly #serverAheadMs: number
  readonly #clock: Pick<Clock, 'nowMs' | 'after'>
  /** Why the connection cannot be used any more. */
  broken: Error | undefined
  /** How many warnings the server has sent: that it has ended a wait for standbys, for example. */
  warningCount = 0

  constructor(
    client: Client,
    clock: SessionOptions['clock'],
    about: Readonly<{ address: string; timeline: number; serverMs: number }>,
  ) {
    this.client = client
    this.address = about.address
    this.timeline = about.timeline
    this.#clock = clock
    this.#serverAheadMs = about.serverMs - clock.nowMs()
  }

  /** A time of the clock of this process as seconds since 1970 of the server. */
  serverSeconds(atMs: number): number {
    return (atMs + this.#serverAheadMs) / 1_000
  }

  /**
   * Runs one statement, which is a transaction of its own.
   *
   * @throws LateAnswerError after `limitMs`. The session is broken then
   */
  async run(statement: Statement, values: readonly unknown[], limitMs: number): Promise<Answer> {
    const answer = this.client.query({ ...statement, values: [...values] })
    return inTime(answer, limitMs, this.#clock, () => {
      this.broken = new LateAnswerError('the database did not answer in time')
      this.destroy()
      return this.broken
    })
  }

  /**
   * Resolves when the synchronous standbys have applied everything that is committed now: the commit of a
   * record that only the log has.
   */
  async confirm(limitMs: number): Promise<void> {
    const warnings = this.warningCount
    await this.run(CONFIRM, [], limitMs)
    if (this.warningCount !== warnings) throw new LateAnswerError('the wait for the standbys was cut short')
  }

  /** Closes the connection without a word, so that no server that hangs holds it up. */
  destroy(): void {
    this.broken ??= new Error('closed')
    destroyClient(this.client)
  }
}

export type Statement = Readonly<{ name: string; text: string }>
export type Answer = Readonly<{ rows: Record<string, never>[]; rowCount: number | null }>

const CONFIRM: Statement = {
  name: 'cohort_confirm',
  text: "select pg_logical_emit_message(true, 'cohort', '')",
}

/** Connects to a host and prepares the session. @throws DatabaseProblem */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { host, clock, timeoutMs } = options
  const client = newClient(host.url, timeoutMs)
  let session: Session | undefined
  client.on('error', (error) => {
    if (session !== undefined) session.broken ??= error
  })
  client.on('notice', (notice) => {
    // By the code: the words are in the language of the server.
    if (session === undefined || notice.code === '00000') return
    session.warningCount += 1
    options.log(`the server ${host.address} warns: ${notice.message}`)
  })
  const fail = (error: unknown): never => {
    destroyClient(client)
    throw problemOf(error, options.place)
  }
  const late = () => {
    destroyClient(client)
    return new Error('no answer in time')
  }
  try {
    const about = await inTime(connectAndLook(client, options), timeoutMs, clock, late)
    session = new Session(client, clock, about)
  } catch (error) {
    return fail(error)
  }
  try {
    await session.confirm(timeoutMs)
    return session
  } catch (error) {
    if (error instanceof LateAnswerError) {
      session.destroy()
      throw new DatabaseProblem(
        'waiting',
        `No standby of the primary ${host.address} confirms what it holds: start the standbys.`,
        error,
      )
    }
    return fail(error)
  }
}

/** A client that is not connected yet. */
export function newClient(url: string, timeoutMs: number): Client {
  return new Client({
    connectionString: url,
    application_name: 'cohort',
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
  })
}

/** Connects, checks that this is a primary as this program needs it, and sets the session up. */
async function connectAndLook(
  client: Client,
  { host: { address }, place, timelineMin, timeoutMs }: SessionOptions,
): Promise<Readonly<{ address: string; timeline: number; serverMs: number }>> {
  await client.connect()
  const { rows } = await client.query(LOOK)
  const { is_standby, is_read_only, version, version_name, encoding, timeline, server_ms } = rows[0]
  if (version < SERVER_MIN.number) {
    throw new DatabaseProblem(
      'setup',
      `The server ${address} is Postgres ${version_name}: upgrade it to ${SERVER_MIN.name} or newer.`,
    )
  }
  if (is_standby || is_read_only) throw new DatabaseProblem('elsewhere', readOnly(address))
  if (encoding !== 'UTF8') {
    throw new DatabaseProblem(
      'setup',
      `The database "${place.database}" has the encoding ${encoding}: make another one with "create database … encoding 'UTF8' template template0".`,
    )
  }
  if (timeline < timelineMin) {
    throw new DatabaseProblem(
      'elsewhere',
      `The server ${address} has been replaced as primary by another one: stop it, or make it a standby.`,
    )
  }
  await checkSchema(client, place.database)
  await client.query('set synchronous_commit = remote_apply')
  await client.query(`set statement_timeout = ${timeoutMs}`)
  await client.query(`set lock_timeout = ${timeoutMs}`)
  return { address, timeline, serverMs: Number(server_ms) }
}

/** The timeline is in the first eight digits of the name of a file of the log. A standby has no such name. */
export const LOOK = `
  select pg_is_in_recovery() as is_standby,
    current_setting('transaction_read_only') = 'on' as is_read_only,
    current_setting('server_version_num')::integer as version,
    current_setting('server_version') as version_name,
    (select pg_encoding_to_char(encoding) from pg_database where datname = current_database()) as encoding,
    case when pg_is_in_recovery() then 0
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end as timeline,
    extract(epoch from clock_timestamp()) * 1000 as server_ms`

/** The value, or after `limitMs` the error that `late` makes. */
async function inTime<T>(
  promise: Promise<T>,
  limitMs: number,
  clock: Pick<Clock, 'after'>,
  late: () => Error,
): Promise<T> {
  promise.catch(() => undefined)
  const over = new AbortController()
  const timer = sleep(Math.max(0, limitMs), clock, over.signal).then(() => {
    if (!over.signal.aborted) throw late()
    return promise
  })
  try {
    return await Promise.race([promise, timer])
  } finally {
    over.abort()
    timer.catch(() => undefined)
  }
}

/** Ends the socket at once. `Client.end` would wait for what the server still has to answer. */
function destroyClient(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
  client.end().catch(() => undefined)
}
