/** A primary and two synchronous standbys, which all tests of this folder share. */
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePorts } from '../cluster/ports.ts'
import { type TemporaryDirectory, temporaryDirectory } from '../cluster/temporary-directory.ts'
import { until } from '../cluster/waiting.ts'
import { copyAs, handOver, installPrograms, runProgram } from './programs.ts'
import { Server, SUPERUSER } from './server.ts'

const READY_MS = 60_000

/** A user whom the servers refuse. */
export const REFUSED_USER = 'refused'

const SETTINGS = [
  "listen_addresses = '127.0.0.1'",
  "unix_socket_directories = ''",
  // Tests kill processes but cut no power, so the cache of the system is as good as the disk.
  'fsync = off',
  'full_page_writes = off',
  'shared_buffers = 16MB',
  'wal_retrieve_retry_interval = 100ms',
  "log_line_prefix = '%m [%p] '",
]

export class Trio implements AsyncDisposable {
  readonly #directory: TemporaryDirectory
  /** The directory of the programs of Postgres. */
  readonly programs: string
  /** A data directory as initdb has made it, of which further servers get a copy. */
  readonly pristineData: string
  /** The first one is the primary, until another one is promoted. */
  readonly servers: readonly [Server, Server, Server]
  #primary: Server

  private constructor(
    directory: TemporaryDirectory,
    programs: string,
    servers: readonly [Server, Server, Server],
  ) {
    this.#directory = directory
    this.programs = programs
    this.pristineData = join(directory.path, 'pristine')
    this.servers = servers
    this.#primary = servers[0]
  }

  /** `synchronous`: the setting `synchronous_standby_names` of all servers; it counts on the primary. */
  static async start(synchronous = 'ANY 1 (s1, s2, s3)'): Promise<Trio> {
    const directory = await temporaryDirectory()
    await handOver(directory.path, 0o755)
    const programs = await installPrograms(directory.path)
    const ports = await freePorts(3)
    const servers = ports.map(
      (port, index) => new Server(`s${index + 1}`, port, join(directory.path, `s${index + 1}`), programs),
    ) as unknown as [Server, Server, Server]
    const [primary, ...standbys] = servers
    const trio = new Trio(directory, programs, servers)
    try {
      const options = ['--encoding=UTF8', '--locale=C', '--auth=trust', '--no-sync']
      await runProgram(join(programs, 'initdb'), ['-D', trio.pristineData, '-U', SUPERUSER, ...options])
      // A server that has not started yet is copied like any other files.
      for (const server of servers) {
        await copyAs(trio.pristineData, server.dataDir)
        await server.configure([...SETTINGS, `synchronous_standby_names = '${synchronous}'`])
        // In front of the lines that let everyone in.
        await server.refuse(REFUSED_USER)
      }
      for (const standby of standbys) await standby.follow(primary)
      await Promise.all(servers.map((server) => server.start()))
      await trio.untilSynchronous(2)
      return trio
    } catch (error) {
      await trio[Symbol.asyncDispose]()
      throw error
    }
  }

  get primary(): Server {
    return this.#primary
  }

  get standbys(): readonly Server[] {
    return this.servers.filter((server) => server !== this.#primary)
  }

  /**
   * Ends the primary at once, and promotes the standby that has received more: a commit waits for any one of
   * the two. The other one follows the new primary. The old primary is not started again.
   */
  async failOver(): Promise<Server> {
    const old = this.#primary
    const { standbys } = this
    await old.end('SIGQUIT')
    const received = await Promise.all(
      standbys.map(async (standby) => {
        const [row] = await standby.query<{ bytes: string }>(
          "select pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0') as bytes",
        )
        return Number(row!.bytes)
      }),
    )
    const [next, other] = received[0]! >= received[1]! ? standbys : standbys.toReversed()
    await next!.query('select pg_promote()')
    this.#primary = next!
    await other!.query(`alter system set primary_conninfo = '${other!.connectionTo(next!)}'`)
    await other!.query('select pg_reload_conf()')
    await this.untilSynchronous(1)
    return old
  }

  /** Makes a server that has ended a standby of the primary, as a copy of another standby. */
  async rejoin(server: Server): Promise<void> {
    const from = this.standbys.find((standby) => standby !== server && standby.isRunning)!
    await from.end('SIGINT')
    await rm(server.dataDir, { recursive: true })
    await copyAs(from.dataDir, server.dataDir)
    await writeFile(
      join(server.dataDir, 'postgresql.auto.conf'),
      `primary_conninfo = '${server.connectionTo(this.#primary)}'\n`,
    )
    await Promise.all([from.start(), server.start()])
    await this.untilSynchronous(2)
  }

  /** Waits until so many standbys of a primary are synchronous. */
  async untilSynchronous(count: number, primary = this.primary): Promise<void> {
    await until(`${count} standbys of ${primary.name} are synchronous`, READY_MS, async () => {
      // A server that recovers lets nobody in.
      const rows = await primary
        .query(
          "select 1 from pg_stat_replication where state = 'streaming' and sync_state in ('sync', 'quorum')",
        )
        .catch(() => [])
      return rows.length === count
    })
  }

  /** Makes a database, empty or with more words of `create database`. */
  async createDatabase(name: string, more = ''): Promise<void> {
    await this.primary.query(`create database "${name}" ${more}`)
  }

  /**
   * The URL of a database, with the hosts in this order. The primary is the first, because a standby may lack
   * a database that was just made.
   */
  url(
    database: string,
    servers: readonly { address: string }[] = [this.primary, ...this.standbys],
    more = '',
  ): string {
    return `postgres://${SUPERUSER}@${servers.map(({ address }) => address).join(',')}/${database}?target_session_attrs=read-write${more}`
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server.end('SIGQUIT')))
    await this.#directory[Symbol.asyncDispose]()
  }
}
