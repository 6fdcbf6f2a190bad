/** Which engine keeps the groups, and the settings of the engine on Postgres. */
import { type Database, parseDatabaseUrl } from './database-url.ts'
import type { Environment } from './environment.ts'
import { type Find, type Flags, finder, mismatch, readWhole, required } from './lookup.ts'
import { SettingError } from './setting-error.ts'

export type PostgresSettings = Readonly<{
  database: Database
  /** How many standbys must have applied a change before it is acknowledged. */
  synchronousStandbys: number
}>

/** The engine on Postgres of a cluster on one machine. */
export type UpPostgresSettings = Readonly<{
  /** The URL of a database that is there already. `undefined`: servers are started on this machine. */
  database: string | undefined
  /** How many standbys must have applied a change before it is acknowledged. */
  synchronousStandbys: number
}>

const ENGINES = ['cohort', 'postgres'] as const
const SYNCHRONOUS_STANDBYS = { default: 1, min: 0, max: 100 }

/** The settings of the engine on Postgres. `undefined`: the engine is `cohort`. @throws SettingError */
export function readPostgresSettings(find: Find): PostgresSettings | undefined {
  if (!isOnPostgres(find)) return undefined
  return {
    database: readDatabase(find),
    synchronousStandbys: readWhole(find('SYNCHRONOUS_STANDBYS'), SYNCHRONOUS_STANDBYS),
  }
}

/**
 * The same for a cluster on one machine, with this number of servers unless a database is named. One server
 * has no standby, so then no change waits for one. @throws SettingError
 */
export function readUpPostgresSettings(find: Find, serverCount: number): UpPostgresSettings | undefined {
  if (!isOnPostgres(find)) return undefined
  const standbys = find('SYNCHRONOUS_STANDBYS')
  const database = find('DATABASE_URL')
  if (database !== undefined) {
    readDatabase(find)
    return { database: database.text.trim(), synchronousStandbys: readWhole(standbys, SYNCHRONOUS_STANDBYS) }
  }
  const max = serverCount - 1
  const range = { default: Math.min(SYNCHRONOUS_STANDBYS.default, max), min: 0, max }
  return { database: undefined, synchronousStandbys: readWhole(standbys, range) }
}

/** Whether the engine is the one on Postgres. @throws SettingError */
function isOnPostgres(find: Find): boolean {
  const engine = find('ENGINE')
  const name = engine?.text.trim() ?? 'cohort'
  if (!ENGINES.some((known) => known === name)) throw mismatch(engine!, ENGINES.join(' or '))
  if (name === 'postgres') return true
  const database = find('DATABASE_URL')
  // A variable that other programs use too may be set in the environment. A flag was meant.
  if (database?.label.startsWith('--')) {
    throw new SettingError(`${database.label} is for --engine postgres, and the engine is cohort`)
  }
  return false
}

/** The database that a setting names. The message never shows the URL, which may hold a password. */
function readDatabase(find: Find): Database {
  const found = required(
    find('DATABASE_URL'),
    'DATABASE_URL',
    'the database, as postgres://user@host1,host2/database',
  )
  const result = parseDatabaseUrl(found.text)
  if (result.kind === 'problem') throw new SettingError(`${found.label} must ${result.problem}`)
  return result.database
}

/** The database of a command. @throws SettingError */
export function readDatabaseSettings(flags: Flags, environment: Environment): Database {
  return readDatabase(finder(flags, environment))
}
