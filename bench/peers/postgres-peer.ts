import { chown, glob, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePorts } from '../../test/cluster/ports.ts'
import { until } from '../../test/cluster/waiting.ts'
import { type Histogram, histogramOf, percentile } from '../statistics.ts'
import { outageOf } from './http-load.ts'
import {
  BEFORE_EVENT_MS,
  type Event,
  OPEN_LOOP_CONNECTIONS,
  OPEN_LOOP_WARM_SECONDS,
  OUTAGE_CLIENTS,
  type Outage,
  type Peer,
  storedGroup,
  type Turn,
  type Work,
} from './peer.ts'
import { POSTGRES_USER, PostgresServer, runPostgres } from './postgres-server.ts'

/** Every commit waits for both standbys. */
const BOTH = 'FIRST 2 (s1, s2)'

/** What an operator sets when a standby is lost: one of them is enough. */
const EITHER = 'ANY 1 (s1, s2)'

/** Each client prepares its statement with its first transaction; with many clients that takes a while. */
export const WARM_SECONDS = 1

/** A transaction of pgbench: when it ended, and how long it took since it was due. In milliseconds. */
type Transaction = Readonly<{ endMs: number; latencyMs: number }>

/**
 * Postgres: a primary with two synchronous standbys (remote_apply), loaded by pgbench with prepared
 * statements. This costs less than HTTP, and is how programs usually reach Postgres.
 */
export class PostgresPeer implements Peer {
  readonly name = 'Postgres'
  readonly description = 'primary with 2 synchronous standbys (remote_apply), pgbench, no HTTP'
  readonly #directory: string
  readonly #primary: PostgresServer
  readonly #standbys: readonly PostgresServer[]
  #seeded = 0
  #runs = 0
  /** How long one client takes to connect: a process is started for each. */
  #connectSeconds = 0.02

  private constructor(directory: string, [primary, ...standbys]: readonly PostgresServer[]) {
    this.#directory = directory
    this.#primary = primary!
    this.#standbys = standbys
  }

  static async start(): Promise<PostgresPeer> {
    const directory = await mkdtemp(join(tmpdir(), 'postgres-'))
    if (POSTGRES_USER !== undefined) {
      const passwords = await readFile('/etc/passwd', 'utf8')
      const [, uid, gid] = new RegExp(`^${POSTGRES_USER}:[^:]*:(\\d+):(\\d+)`, 'm').exec(passwords) ?? []
      await chown(directory, Number(uid), Number(gid))
    }
    const ports = await freePorts(3)
    const servers = ports.map((port, index) => new PostgresServer(join(directory, `server${index}`), port))
    const peer = new PostgresPeer(directory, servers)
    try {
      await peer.#create()
    } catch (cause) {
      await peer.close()
      throw cause
    }
    return peer
  }

  async #create(): Promise<void> {
    await this.#primary.createPrimary()
    await this.#primary.start()
    await this.#primary.query('CREATE TABLE groups (id text PRIMARY KEY, value text NOT NULL)')
    for (const [index, standby] of this.#standbys.entries()) {
      await standby.createStandby(this.#primary, `s${index + 1}`)
      await standby.start()
    }
    await this.#require(BOTH)
  }

  /** Sets which standbys a commit waits for, and waits until it does. */
  async #require(names: string): Promise<void> {
    await this.#primary.query(`ALTER SYSTEM SET synchronous_standby_names = '${names}'`)
    await this.#primary.query('SELECT pg_reload_conf()')
    const wanted = names === BOTH ? 2 : 1
    await until(`Postgres has ${wanted} synchronous standbys`, 60_000, async () => {
      const sql =
        "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum') AND state = 'streaming'"
      return Number(await this.#primary.query(sql)) >= wanted
    })
  }

  async seed(count: number): Promise<void> {
    const value = storedGroup('seed-').replace('seed-', "seed-' || i || '")
    await this.#primary.query(
      `INSERT INTO groups SELECT 'group/seed-' || i, '${value}' FROM generate_series(1, ${count}) AS i`,
    )
    await this.#primary.query('VACUUM ANALYZE groups')
    this.#seeded = count
  }

  async turn(work: Work, { clients, seconds }: { clients: number; seconds: number }): Promise<Turn> {
    const transactions = await this.#whole(work, clients, seconds)
    const latencies = transactions.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
    return {
      perSecond: transactions.length / seconds,
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
    }
  }

  async openLoop(
    work: 'create' | 'read',
    { perSecond, seconds }: { perSecond: number; seconds: number },
  ): Promise<Histogram> {
    // With a rate, pgbench counts a latency from the moment when the transaction was due.
    const rate = ['--rate', perSecond.toFixed(1)]
    const total = OPEN_LOOP_WARM_SECONDS + seconds
    const transactions = await this.#pgbench(work, OPEN_LOOP_CONNECTIONS, total, rate)
    return histogramOf(latenciesDueAfter(transactions, OPEN_LOOP_WARM_SECONDS))
  }

  /** Kills a standby, and does what an operator must do then: otherwise no commit would return. */
  async loseMember(): Promise<void> {
    await this.#standbys[1]!.kill()
    await this.#require(EITHER)
  }

  async heal(): Promise<void> {
    for (const server of [this.#primary, ...this.#standbys]) {
      await server.signal('SIGCONT')
      if (
        await server.query('SELECT 1').then(
          () => true,
          () => false,
        )
      )
        continue
      await server.kill()
      await server.start()
    }
    await this.#require(BOTH)
  }

  /** The loss of the primary has the largest effect: nothing replaces it by itself. */
  async outage(event: Event, seconds: number): Promise<Outage> {
    const load = this.#pgbench('create', OUTAGE_CLIENTS, BEFORE_EVENT_MS / 1_000 + seconds, [], true)
    await until('pgbench works', 30_000, async () => {
      const sizes = await Array.fromAsync(
        glob(`${this.#prefix}.log*`),
        async (name) => (await stat(name)).size,
      )
      return sizes.some((size) => size > 0)
    })
    await sleep(BEFORE_EVENT_MS)
    await this.#primary.signal(event === 'kill' ? 'SIGKILL' : 'SIGSTOP')
    const fromMs = Date.now()
    await sleep(seconds * 1_000)
    const toMs = Date.now()
    // pgbench waits for a primary that is stopped, and writes the rest of its log only at its end.
    await this.heal()
    const times = (await load).map(({ endMs }) => endMs).sort((a, b) => a - b)
    return outageOf(times, fromMs, toMs, 0)
  }

  async close(): Promise<void> {
    for (const server of [...this.#standbys, this.#primary]) await server.kill()
    await rm(this.#directory, { recursive: true, force: true })
  }

  #script(work: Work, run: number): string {
    const stored = storedGroup(`'||:id||'`)
    if (work === 'read') {
      return `\\set id random(1, ${this.#seeded})\nSELECT value FROM groups WHERE id = 'group/seed-' || :id;\n`
    }
    const drawn = '\\set id random(1, 9000000000000000)\n'
    if (work === 'change') return `${drawn}UPDATE groups SET value = '${stored}' WHERE id = 'group/seed-1';\n`
    return `${drawn}INSERT INTO groups VALUES ('group/run${run}-' || :id, '${stored}') ON CONFLICT DO NOTHING;\n`
  }

  /** The prefix of the files of the last run of pgbench. */
  get #prefix(): string {
    return join(this.#directory, `run${this.#runs}`)
  }

  /**
   * The transactions of so many seconds of work; pgbench is run again, for longer, while its clients took too
   * long to connect.
   */
  async #whole(work: Work, clients: number, seconds: number): Promise<Transaction[]> {
    for (let tries = 0; tries < 5; tries += 1) {
      const transactions = inWindow(await this.#pgbench(work, clients, WARM_SECONDS + seconds, []), seconds)
      if (transactions !== undefined) return transactions
      this.#connectSeconds *= 2
    }
    throw new Error(`${clients} clients of pgbench do not connect`)
  }

  /**
   * Runs pgbench for so many seconds, and as much longer as its clients will take to connect, which it counts
   * as well.
   *
   * @throws if it fails, unless `mayFail`: what had ended before counts then
   */
  async #pgbench(
    work: Work,
    clients: number,
    seconds: number,
    options: readonly string[],
    mayFail = false,
  ): Promise<Transaction[]> {
    this.#runs += 1
    const prefix = this.#prefix
    const duration = String(Math.ceil(seconds + clients * this.#connectSeconds))
    await writeFile(`${prefix}.sql`, this.#script(work, this.#runs), { mode: 0o644 })
    const load = ['-c', String(clients), '-j', '1', '-T', duration, '-M', 'prepared', '-n', ...options]
    const log = ['--log', `--log-prefix=${prefix}.log`, '-f', `${prefix}.sql`]
    const args = [...this.#primary.connection, ...load, ...log, 'postgres']
    const failure = await runPostgres('pgbench', ...args).then(
      () => undefined,
      (error: Error) => error,
    )
    if (failure !== undefined && !mayFail) throw failure
    const logs: Transaction[][] = []
    for await (const name of glob(`${prefix}.log*`)) {
      logs.push(transactionsOf(await readFile(name, 'utf8')))
      await rm(name)
    }
    return logs.flat()
  }
}

/**
 * The transactions that ended within so many seconds of the work, its first `WARM_SECONDS` left out.
 * `undefined`: the work did not last for so long, or nothing ended then.
 */
export function inWindow(transactions: readonly Transaction[], seconds: number): Transaction[] | undefined {
  const first = transactions.reduce(
    (least, { endMs, latencyMs }) => Math.min(least, endMs - latencyMs),
    Infinity,
  )
  const last = transactions.reduce((most, { endMs }) => Math.max(most, endMs), 0)
  const fromMs = first + WARM_SECONDS * 1_000
  const toMs = fromMs + seconds * 1_000
  const inside = transactions.filter(({ endMs }) => endMs >= fromMs && endMs <= toMs)
  // The last transactions may have ended a little before the time was over.
  return last >= toMs - seconds * 50 && inside.length > 0 ? inside : undefined
}

/** The latencies of those transactions that were due so many seconds after the first one, or later. */
export function latenciesDueAfter(transactions: readonly Transaction[], seconds: number): number[] {
  const due = ({ endMs, latencyMs }: Transaction) => endMs - latencyMs
  const first = transactions.reduce((least, transaction) => Math.min(least, due(transaction)), Infinity)
  return transactions
    .filter((transaction) => due(transaction) >= first + seconds * 1_000)
    .map(({ latencyMs }) => latencyMs)
}

/** Reads a log of pgbench: client, transaction, microseconds, script, seconds and microseconds of its end. */
export function transactionsOf(log: string): Transaction[] {
  const lines = log.split('\n').slice(0, -1)
  return lines.flatMap((line) => {
    const [, , elapsedUs, , endS, endUs] = line.split(' ').map(Number)
    // A log that was cut off in the middle of a line, or a transaction that failed.
    if (!Number.isFinite(elapsedUs) || endUs === undefined) return []
    return [{ endMs: endS! * 1_000 + endUs / 1_000, latencyMs: elapsedUs! / 1_000 }]
  })
}
