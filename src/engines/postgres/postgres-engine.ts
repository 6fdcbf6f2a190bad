/** The engine on Postgres: the database keeps the groups, and its standbys are the copies. */
import type { Logger } from 'pino'
import type { Database } from '../../config/database-url.ts'
import type { Metrics } from '../../metrics/metrics.ts'
import type { Clock } from '../../process/clock.ts'
import { FaultError } from '../../process/fault.ts'
import type { Engine, Readiness, StatusView } from '../engine.ts'
import { Durability } from './durability.ts'
import { PostgresChanges } from './postgres-changes.ts'
import { PostgresGroupMembers } from './postgres-group-members.ts'
import { PostgresKeyStore } from './postgres-key-store.ts'
import { addPostgresMetrics } from './postgres-metrics.ts'
import { PostgresRegistry } from './postgres-registry.ts'
import { PostgresStatus } from './postgres-status.ts'
import { DatabaseProblem } from './problems.ts'
import { RegisterStore } from './register-store.ts'
import { RowStore } from './row-store.ts'
import { Sessions } from './sessions.ts'
import { Sweep } from './sweep.ts'

export type PostgresEngineOptions = Readonly<{
  database: Database
  /** The only cluster that may be in the database. `undefined`: any. */
  clusterId: string | undefined
  /** How many standbys must have applied a change before it is acknowledged. */
  synchronousStandbys: number
  /** The longest time that an operation takes, in milliseconds. */
  timeoutMs: number
  clock: Clock
  /** What people should know about this connector, for the status. */
  notices?: () => readonly string[]
  logger: Logger
}>

export class PostgresEngine implements Engine {
  readonly registry: PostgresRegistry
  readonly keys: PostgresKeyStore
  readonly groupMembers: PostgresGroupMembers
  readonly changes: PostgresChanges
  readonly readiness: Readiness
  readonly status: StatusView
  readonly #options: PostgresEngineOptions
  readonly #sessions: Sessions
  readonly #rows: RowStore
  readonly #sweep: Sweep
  readonly #durability: Durability

  constructor(options: PostgresEngineOptions) {
    const { database, clock, timeoutMs, logger, synchronousStandbys: required } = options
    const sessions = new Sessions({ database, clusterId: options.clusterId, clock, timeoutMs, logger })
    const durability = new Durability({ sessions, required, clock, timeoutMs, logger })
    const rows = new RowStore({
      sessions,
      clock,
      timeoutMs,
      whyClosed: (session) => durability.whyClosed(session),
    })
    this.#options = options
    this.#sessions = sessions
    this.#rows = rows
    this.#durability = durability
    const store = new RegisterStore(rows)
    this.registry = new PostgresRegistry(store)
    this.keys = new PostgresKeyStore(store)
    this.groupMembers = new PostgresGroupMembers(rows)
    this.changes = new PostgresChanges({ sessions, clock, timeoutMs, logger })
    const whyNoWrites = () => durability.whyNoWrites()
    this.#sweep = new Sweep({ sessions, clock, timeoutMs, whyNoWrites, logger })
    // Also while no change is acknowledged: reads go on.
    this.readiness = { isReady: () => durability.view !== undefined }
    this.status = new PostgresStatus({
      durability,
      store: rows,
      required,
      notices: options.notices ?? (() => []),
    })
  }

  /**
   * Looks at the database before the first request. A database that does not answer may come later; one that
   * only a person can mend does not.
   *
   * @throws {FaultError} the sentence that says what to do
   */
  async start(): Promise<void> {
    const { clock, timeoutMs } = this.#options
    try {
      this.#sessions.release(await this.#sessions.acquire(clock.nowMs() + timeoutMs))
    } catch (error) {
      if (!(error instanceof DatabaseProblem)) throw error
      if (error.kind === 'setup') throw new FaultError('database_unusable', error.message, error)
      this.#options.logger.warn(error.message)
    }
    await this.#durability.look()
  }

  addMetrics(metrics: Metrics): void {
    addPostgresMetrics(metrics, {
      sessions: this.#sessions,
      store: this.#rows,
      changes: this.changes,
      sweep: this.#sweep,
      durability: this.#durability,
      status: this.status,
    })
  }

  async run(): Promise<void> {
    await Promise.all([this.#durability.run(), this.#sweep.run()])
  }

  close(): void {
    this.changes.close()
    this.#sweep.close()
    this.#durability.close()
    this.#sessions.close()
  }
}
