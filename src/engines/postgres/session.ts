/** One connection to the primary, prepared so that a change that it acknowledges is on the standbys too. */
import { Client } from 'pg'
import pgpass from 'pgpass'
import type { DatabaseHost } from '../../config/database-url.ts'
import { type Clock, sleep } from '../../process/clock.ts'
import { checkSchema } from './migrations.ts'
import { DatabaseProblem, otherCluster, type Place, problemOf, readOnly, SERVER_MIN } from './problems.ts'

export type SessionOptions = Readonly<{
  host: DatabaseHost
  place: Place
  clock: Pick<Clock, 'nowMs' | 'after'>
  /** The only cluster that may be in the database. `undefined`: any. */
  clusterId: string | undefined
  /** The longest time that opening it takes, in milliseconds. */
  limitMs: number
  /** The longest time of any statement on the server, in milliseconds. */
  timeoutMs: number
  /** A connection to a server that has held nothing unconfirmed since that connection was opened. */
  witness: Witness | undefined
  /** A primary with an older timeline than this is one that has been replaced. */
  timelineMin: number
  log: (message: string) => void
}>

/**
 * A connection, as its server knows it. As long as the connection is there, its server has not crashed: a
 * crash ends all connections. What a commit wrote can be seen before a standby has it only after a crash.
 */
export type Witness = Readonly<{ address: string; pid: number; startedAt: string }>

/** A statement that was not answered in time. It may have been committed. */
export class LateAnswerError extends Error {
  override name = 'LateAnswerError'
}

export class Session {
  readonly client: Client
  readonly address: string
  readonly timeline: number
  /** Which server, or which copy of one, this is. All standbys of a primary have the same. */
  readonly systemId: string
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
    about: Readonly<{ address: string }> & Omit<PrimaryLook, 'version'>,
  ) {
    this.client = client
    this.address = about.address
    this.timeline = about.timeline
    this.systemId = about.systemId
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
  const { host, clock, limitMs } = options
  const client = newClient(host.url, limitMs)
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
    const about = await inTime(connectAndLook(client, options), limitMs, clock, late)
    session = new Session(client, clock, about)
  } catch (error) {
    return fail(error)
  }
  try {
    if (!(await isThere(client, options))) await session.confirm(limitMs)
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

/** Whether the server still has the connection of the witness. */
async function isThere(client: Client, { witness, host }: SessionOptions): Promise<boolean> {
  if (witness === undefined || witness.address !== host.address) return false
  const { rows } = await client.query(
    'select 1 from pg_stat_activity where pid = $1 and backend_start::text = $2',
    [witness.pid, witness.startedAt],
  )
  return rows.length === 1
}

/** Makes a witness of a connection. */
export async function witnessOf(client: Client, address: string): Promise<Witness> {
  const { rows } = await client.query(
    'select pid, backend_start::text as started_at from pg_stat_activity where pid = pg_backend_pid()',
  )
  return { address, pid: rows[0].pid, startedAt: rows[0].started_at }
}

/**
 * A client that is not connected yet. Its password is in the URL, else in PGPASSWORD, else in the file of
 * PGPASSFILE, as with psql.
 */
export function newClient(url: string, timeoutMs: number): Client {
  const client = new Client({
    connectionString: url,
    application_name: 'cohort',
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
  })
  // The client would read the file too, but warns each user on stderr that its next version will not.
  const password = (connection: Parameters<typeof pgpass>[0]) =>
    new Promise<string | undefined>((resolve) => pgpass(connection, resolve))
  return typeof client.password === 'string' ? client : Object.assign(client, { password })
}

/** Connects, checks that this is a primary as this program needs it, and sets the session up. */
async function connectAndLook(
  client: Client,
  { host: { address }, place, clusterId: wantedId, timelineMin, timeoutMs }: SessionOptions,
): Promise<Readonly<{ address: string }> & PrimaryLook> {
  await client.connect()
  const look = await lookAt(client, place)
  const { timeline } = look
  if (timeline < timelineMin) {
    throw new DatabaseProblem(
      'elsewhere',
      `The server ${address} has been replaced as primary by another one: stop it, or make it a standby.`,
    )
  }
  const clusterId = await checkSchema(client, place.database)
  if (wantedId !== undefined && clusterId !== wantedId)
    throw new DatabaseProblem('setup', otherCluster(place.database, clusterId, wantedId))
  await client.query(settingsOf(timeoutMs))
  return { address, ...look }
}

/** The settings of a session, as statements. */
export function settingsOf(timeoutMs: number): string {
  return [
    'set synchronous_commit = remote_apply',
    `set statement_timeout = ${Math.ceil(timeoutMs)}`,
    // A row that somebody has locked holds up the other rows of the statement so long.
    `set lock_timeout = ${Math.ceil(timeoutMs * LOCK_SHARE)}`,
    // Each statement finds its rows by an index, however small the tables were when it was planned.
    'set plan_cache_mode = force_generic_plan',
    'set enable_seqscan = off',
    'set enable_hashjoin = off',
    'set enable_mergejoin = off',
    'set enable_bitmapscan = off',
    'set jit = off',
  ].join('; ')
}

const LOCK_SHARE = 0.25

/** A primary as it was seen. */
export type PrimaryLook = Readonly<{
  version: string
  systemId: string
  timeline: number
  serverMs: number
}>

/** Looks at a server. @throws DatabaseProblem when it is no primary as this program needs it */
export async function lookAt(client: Client, { address, database }: Place): Promise<PrimaryLook> {
  const { rows } = await client.query(LOOK)
  const { is_standby, is_read_only, version, version_name, encoding, timeline, system_id, server_ms } =
    rows[0]
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
      `The database "${database}" has the encoding ${encoding}: make another one with "create database … encoding 'UTF8' template template0".`,
    )
  }
  return { version: version_name, systemId: system_id, timeline, serverMs: Number(server_ms) }
}

/** The timeline is in the first eight digits of the name of a file of the log. A standby has no such name. */
const LOOK = `
  select pg_is_in_recovery() as is_standby,
    current_setting('transaction_read_only') = 'on' as is_read_only,
    current_setting('server_version_num')::integer as version,
    current_setting('server_version') as version_name,
    (select pg_encoding_to_char(encoding) from pg_database where datname = current_database()) as encoding,
    case when pg_is_in_recovery() then 0
      else ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer end as timeline,
    (select system_identifier::text from pg_control_system()) as system_id,
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
export function destroyClient(client: Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
  client.end().catch(() => undefined)
}
