/** One server of Postgres: a process that a test starts, signals and watches. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { addWitness, removeWitness, until, within } from '../cluster/waiting.ts'
import { ENVIRONMENT, RUN_AS } from './programs.ts'

const START_MS = 60_000
const END_MS = 20_000

/** The superuser of every server. It needs no password: the servers listen on 127.0.0.1 alone. */
export const SUPERUSER = 'postgres'

export class Server {
  readonly name: string
  readonly port: number
  readonly dataDir: string
  readonly #programs: string
  #process: ChildProcess | undefined
  #guard: ChildProcess | undefined
  #kept: Promise<Client> | undefined
  /** Everything that it has written since its first start. */
  output = ''

  constructor(name: string, port: number, dataDir: string, programs: string) {
    this.name = name
    this.port = port
    this.dataDir = dataDir
    this.#programs = programs
  }

  get address(): string {
    return `127.0.0.1:${this.port}`
  }

  /** The process of the server. Its children serve the connections. */
  get pid(): number {
    return this.#process!.pid!
  }

  get isRunning(): boolean {
    const child = this.#process
    return child !== undefined && child.exitCode === null && child.signalCode === null
  }

  async configure(lines: readonly string[]): Promise<void> {
    await appendFile(join(this.dataDir, 'postgresql.conf'), `${lines.join('\n')}\n`)
  }

  /** Lets a user in no more. */
  async refuse(user: string): Promise<void> {
    const file = join(this.dataDir, 'pg_hba.conf')
    await writeFile(file, `host all ${user} 127.0.0.1/32 reject\n${await readFile(file, 'utf8')}`)
  }

  /** Makes it a standby of a primary, from its next start on. */
  async follow(primary: Server): Promise<void> {
    await writeFile(join(this.dataDir, 'standby.signal'), '')
    await this.configure([`primary_conninfo = '${this.connectionTo(primary)}'`])
  }

  /** How a standby with the name of this one connects to a primary. */
  connectionTo(primary: Server): string {
    return `host=127.0.0.1 port=${primary.port} user=${SUPERUSER} application_name=${this.name}`
  }

  /** Sends a signal to the server and to all its children. */
  async signalAll(signal: 'SIGSTOP' | 'SIGCONT'): Promise<void> {
    for (const pid of [this.pid, ...(await childrenOf(this.pid))]) {
      try {
        process.kill(pid, signal)
      } catch {
        // It has ended meanwhile.
      }
    }
  }

  /** Starts it, and waits until it takes connections. */
  async start(): Promise<void> {
    const from = this.output.length
    // It stays when a server ends by itself.
    this.#unguard()
    // A server that was killed leaves it.
    await rm(join(this.dataDir, 'postmaster.pid'), { force: true })
    const child = spawn(join(this.#programs, 'postgres'), ['-D', this.dataDir, '-p', String(this.port)], {
      ...RUN_AS,
      env: ENVIRONMENT,
      cwd: '/',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const take = (chunk: Buffer) => {
      this.output += chunk.toString()
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    this.#process = child
    this.#guard = guard(child.pid!)
    addWitness(this)
    await this.#untilReady(from)
  }

  /**
   * Kills a backend of a database. It may have spoiled shared memory, so the server ends all backends. Waits
   * until it takes connections again.
   */
  async crash(database: string): Promise<void> {
    const [backend] = await this.backends(database)
    if (backend === undefined) throw new Error(`nobody is connected to ${database}`)
    const from = this.output.length
    process.kill(backend, 'SIGKILL')
    await this.#untilReady(from)
  }

  /** Waits until the server has said that it takes connections, after the first `from` characters. */
  async #untilReady(from: number): Promise<void> {
    await until(`${this.name} takes connections`, START_MS, () => {
      if (!this.isRunning) throw new Error(`${this.name} has ended:\n${this.output.slice(from)}`)
      return /database system is ready to accept (read[- ]only )?connections/.test(this.output.slice(from))
    })
  }

  /** Ends the server and all its children with one signal: SIGINT ends it in order, SIGQUIT at once. */
  async end(signal: 'SIGINT' | 'SIGQUIT'): Promise<void> {
    if (!this.isRunning) return this.#unguard()
    const exit = once(this.#process!, 'exit')
    this.#process!.kill(signal)
    await within(END_MS, exit, `${this.name} has ended`)
    this.#unguard()
    removeWitness(this)
  }

  #unguard(): void {
    this.#guard?.kill('SIGKILL')
    this.#guard = undefined
  }

  /**
   * Rows of one statement of the superuser. The connection to the database `postgres` stays open, because the
   * server starts a process for each connection. Tests count and stop the connections to other databases.
   */
  async query<R extends object = object>(
    text: string,
    values: unknown[] = [],
    database?: string,
  ): Promise<R[]> {
    if (database === undefined) return (await (await this.#connection()).query<R>(text, values)).rows
    const client = await this.#connect(database)
    try {
      return (await client.query<R>(text, values)).rows
    } finally {
      await client.end()
    }
  }

  #connection(): Promise<Client> {
    if (this.#kept !== undefined) return this.#kept
    const kept = this.#connect('postgres')
    const forget = () => {
      if (this.#kept === kept) this.#kept = undefined
    }
    kept.then((client) => client.once('end', forget), forget)
    this.#kept = kept
    return kept
  }

  async #connect(database: string): Promise<Client> {
    const client = new Client({ host: '127.0.0.1', port: this.port, user: SUPERUSER, database })
    client.on('error', () => undefined)
    await client.connect()
    return client
  }

  /** The processes that serve the connections of a database. */
  async backends(database: string): Promise<number[]> {
    const rows = await this.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = $1 and backend_type = 'client backend'",
      [database],
    )
    return rows.map(({ pid }) => pid)
  }
}

/**
 * A process that ends a server when the process of the tests has ended, however it did: the pipe between the
 * two is closed then. The server does not run as a child of it, so signals still go to the server itself.
 */
function guard(pid: number): ChildProcess {
  const script = 'read -r _; kill -QUIT "$1"; sleep 5; kill -KILL "$1"'
  return spawn('/bin/sh', ['-c', script, 'guard', String(pid)], {
    ...RUN_AS,
    env: ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
  })
}

/** The processes that a process has started. Linux only. */
async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  return text.split(' ').filter(Boolean).map(Number)
}
