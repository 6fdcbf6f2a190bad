/** `cohort up` on Postgres: what is made and checked before its processes start, and the schema after. */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseDatabaseUrl } from '../../../config/database-url.ts'
import type { UpSettings } from '../../../config/settings.ts'
import { initDatabase } from '../../../engines/postgres/init.ts'
import { DatabaseProblem } from '../../../engines/postgres/problems.ts'
import { FaultError } from '../../../process/fault.ts'
import { CommandFailure } from '../../failure.ts'
import { planConnectors, type ServicePlan } from '../cluster-plan.ts'
import { findPrograms } from './programs.ts'
import { findServers, makeServers, passwordFile, withPassword } from './server-data.ts'
import { localDatabase, planServers } from './server-plan.ts'

/** How long one step of making the schema may take. */
const STEP_MS = 30_000
const RETRY_MS = 300

/** `makeData` makes the data of the servers. It is to be called when the ports are known to be free. */
export type PlanOnPostgres = Readonly<{
  plan: readonly ServicePlan[]
  makeData: () => Promise<void>
  /** The local database, and where its password is, for people. */
  database: string | undefined
}>

/**
 * The connectors on a database, with servers of their own unless a database is named.
 *
 * @throws CommandFailure the sentence that says why there can be no servers
 */
export async function planOnPostgres(settings: UpSettings): Promise<PlanOnPostgres> {
  const { dataDir, nodeCount, postgres } = settings
  const { database, synchronousStandbys } = postgres!
  const connectors = planConnectors(settings, {
    engine: 'postgres',
    'synchronous-standbys': synchronousStandbys,
  }).map((connector) => ({
    ...connector,
    environment: { ...connector.environment, ...environmentOf(settings) },
  }))
  if (database !== undefined) return { plan: connectors, makeData: async () => {}, database: undefined }
  if (process.getuid?.() === 0) {
    throw new CommandFailure(
      'Postgres refuses to run as root: run this command as another user, or name a database with --database',
    )
  }
  const found = await findServers(dataDir, nodeCount)
  const programs = await findPrograms(found?.major)
  return {
    plan: [...planServers(settings, programs.directory), ...connectors],
    makeData: async () => {
      if (found === undefined) await makeServers(dataDir, programs.directory, nodeCount)
    },
    database: `${localDatabase(settings)}  (PGPASSFILE=${passwordFile(dataDir)})`,
  }
}

/** The database of the connectors. In the environment: other users of the machine see the command line. */
export function environmentOf(settings: UpSettings): Readonly<{ DATABASE_URL: string; PGPASSFILE?: string }> {
  const { database } = settings.postgres!
  if (database !== undefined) return { DATABASE_URL: database }
  return { DATABASE_URL: localDatabase(settings), PGPASSFILE: passwordFile(settings.dataDir) }
}

/**
 * Makes the schema as soon as the database lets it.
 *
 * @returns what was done and found, a sentence each; nothing when it was aborted
 * @throws {FaultError} the sentence that says what a person must do
 */
export async function makeSchema(settings: UpSettings, signal: AbortSignal): Promise<readonly string[]> {
  const { DATABASE_URL } = environmentOf(settings)
  const isLocal = settings.postgres?.database === undefined
  const parsed = parseDatabaseUrl(isLocal ? await withPassword(DATABASE_URL, settings.dataDir) : DATABASE_URL)
  if (parsed.kind === 'problem') throw new Error(parsed.problem)
  while (!signal.aborted) {
    try {
      return await initDatabase(parsed.database, STEP_MS)
    } catch (error) {
      const isPassing =
        error instanceof FaultError && error.cause instanceof DatabaseProblem && error.cause.kind !== 'setup'
      if (!isPassing) throw error
    }
    await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined)
  }
  return []
}
