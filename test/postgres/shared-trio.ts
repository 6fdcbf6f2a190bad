/** The servers that all tests of this folder share, and engines on them. */
import assert from 'node:assert/strict'
import { pino } from 'pino'
import { type Database, parseDatabaseUrl } from '../../src/config/database-url.ts'
import { migrate } from '../../src/engines/postgres/migrations.ts'
import { PostgresEngine } from '../../src/engines/postgres/postgres-engine.ts'
import { newClient } from '../../src/engines/postgres/session.ts'
import { systemClock } from '../../src/process/clock.ts'
import { afterAll } from '../cluster/leave-nothing.ts'
import { Trio } from './trio.ts'

/** How long operations of these engines may take. Long, for machines that are busy. */
export const TIMEOUT_MS = 5_000

let shared: Promise<Trio> | undefined

/** A primary and two synchronous standbys. A test that breaks one of them mends it before it ends. */
export function sharedTrio(): Promise<Trio> {
  shared ??= (async () => {
    const trio = await Trio.start()
    afterAll(() => trio[Symbol.asyncDispose]())
    return trio
  })()
  return shared
}

/**
 * The name of a database with an empty schema. It takes half a second of CPU to make a database, so the next
 * call with the same name empties it again, and ends all connections to it: a test has one at a time.
 */
export async function emptyDatabase(trio: Trio, name = 'cohort'): Promise<string> {
  const [row] = await trio.primary.query('select 1 from pg_database where datname = $1', [name])
  if (row === undefined) await trio.createDatabase(name)
  await trio.primary.query(
    `select pg_terminate_backend(pid, ${TIMEOUT_MS}) from pg_stat_activity where datname = $1`,
    [name],
  )
  const client = newClient(databaseOf(trio.url(name, [trio.primary])).hosts[0]!.url, TIMEOUT_MS)
  await client.connect()
  await client.query('drop schema if exists cohort cascade')
  await migrate(client, name)
  // A server of Postgres 18 that was promoted, and not started again since, does not recover from a crash if
  // a table was dropped since its last checkpoint ("WAL contains references to invalid pages").
  await client.query('checkpoint')
  await client.end()
  return name
}

export function databaseOf(url: string): Database {
  const result = parseDatabaseUrl(url)
  assert.ok(result.kind === 'database', url)
  return result.database
}

/** An engine that runs. `lines`: what it has logged. */
export async function anEngine(
  url: string,
  options: Partial<Readonly<{ clusterId: string; synchronousStandbys: number; timeoutMs: number }>> = {},
) {
  const lines: Readonly<Record<string, unknown>>[] = []
  const engine = new PostgresEngine({
    database: databaseOf(url),
    clusterId: undefined,
    synchronousStandbys: 1,
    timeoutMs: TIMEOUT_MS,
    clock: systemClock,
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
    ...options,
  })
  await engine.start()
  const running = engine.run()
  const close = async () => {
    engine.close()
    await running
  }
  return { engine, lines, close, [Symbol.asyncDispose]: close }
}
