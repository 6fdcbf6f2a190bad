import { execFile, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { appendFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { until } from '../../test/cluster/waiting.ts'

const run = promisify(execFile)

/**
 * Debian keeps the programs of each version in a folder that is in no PATH. The newest one; `undefined`: none
 * is installed.
 */
export function postgresPrograms(): string | undefined {
  const versions = '/usr/lib/postgresql'
  try {
    const [newest] = readdirSync(versions).sort((a, b) => Number(b) - Number(a))
    return newest === undefined ? undefined : join(versions, newest, 'bin')
  } catch {
    return undefined
  }
}

/** Postgres refuses to run as root, so a root that compares becomes the user whom Debian's package made. */
export const POSTGRES_USER = process.getuid?.() === 0 ? 'postgres' : undefined

/** The command line that runs one of Postgres's programs as the right user. */
export function postgresCommand(program: string, args: readonly string[]): [string, string[]] {
  const path = join(postgresPrograms() ?? '', program)
  return POSTGRES_USER === undefined
    ? [path, [...args]]
    : // Unlike `runuser`, it leaves no process of its own, which would stop with a server that is stopped.
      ['setpriv', [`--reuid=${POSTGRES_USER}`, `--regid=${POSTGRES_USER}`, '--init-groups', path, ...args]]
}

export async function runPostgres(program: string, ...args: readonly string[]): Promise<string> {
  const [command, all] = postgresCommand(program, args)
  return (await run(command, all, { maxBuffer: 64 * 1024 * 1024 })).stdout.trim()
}

/** One server of Postgres, with its own data directory. */
export class PostgresServer {
  readonly port: number
  readonly directory: string

  constructor(directory: string, port: number) {
    this.directory = directory
    this.port = port
  }

  /** The arguments with which Postgres's programs reach it. */
  get connection(): readonly string[] {
    return ['-h', '127.0.0.1', '-p', String(this.port), '-U', 'postgres']
  }

  async createPrimary(): Promise<void> {
    await runPostgres(
      'initdb',
      '-D',
      this.directory,
      '-A',
      'trust',
      '-U',
      'postgres',
      '--no-locale',
      '-E',
      'UTF8',
    )
    const settings = {
      port: this.port,
      listen_addresses: "'127.0.0.1'",
      unix_socket_directories: "''",
      max_connections: 300,
      // Standbys that were away catch up from it.
      wal_keep_size: "'2GB'",
      synchronous_commit: 'remote_apply',
    }
    await this.#configure(settings)
  }

  async createStandby(primary: PostgresServer, name: string): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 })
    if (POSTGRES_USER !== undefined) await run('chown', [POSTGRES_USER, this.directory])
    await runPostgres('pg_basebackup', ...primary.connection, '-D', this.directory, '-X', 'stream', '-R')
    const source = `host=127.0.0.1 port=${primary.port} user=postgres application_name=${name}`
    await this.#configure({ port: this.port, primary_conninfo: `'${source}'` })
  }

  /** Later lines win; this file is read last. */
  async #configure(settings: Readonly<{ [name: string]: string | number }>): Promise<void> {
    const lines = Object.entries(settings).map(([name, value]) => `${name} = ${value}\n`)
    await appendFile(join(this.directory, 'postgresql.auto.conf'), lines.join(''))
  }

  async start(): Promise<void> {
    const [command, args] = postgresCommand('postgres', ['-D', this.directory])
    spawn(command, args, { stdio: 'ignore' })
    await until(`Postgres answers on ${this.port}`, 60_000, () => this.#isReady())
  }

  async #isReady(): Promise<boolean> {
    return runPostgres('pg_isready', ...this.connection).then(
      () => true,
      () => false,
    )
  }

  async query(sql: string): Promise<string> {
    return runPostgres('psql', ...this.connection, '-XAtq', '-c', sql)
  }

  /** Sends a signal to all its processes, as the loss of a machine would hit all of them. */
  async signal(signal: NodeJS.Signals): Promise<void> {
    for (const pid of await this.#pids()) {
      try {
        process.kill(pid, signal)
      } catch {
        // It has ended since.
      }
    }
  }

  async kill(): Promise<void> {
    const pids = await this.#pids()
    await this.signal('SIGKILL')
    await until('Postgres is gone', 10_000, () => pids.every((pid) => !isAlive(pid)))
  }

  /** The postmaster and its children; none when it does not run. */
  async #pids(): Promise<number[]> {
    try {
      const file = await readFile(join(this.directory, 'postmaster.pid'), 'utf8')
      const postmaster = Number(file.split('\n')[0])
      const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(postmaster)]).catch(() => ({
        stdout: '',
      }))
      const children = stdout.split('\n').filter((line) => line.trim() !== '')
      return [postmaster, ...children.map(Number)].filter(isAlive)
    } catch {
      return []
    }
  }
}

/** A process that has ended and was not waited for yet counts as gone. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2)[0] !== 'Z'
  } catch {
    return false
  }
}
