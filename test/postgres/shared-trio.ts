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
let databaseCount = 0

/** A primary and two synchronous standbys. A test that breaks one of them mends it before it ends. */
export function sharedTrio(): Promise<Trio> {
  shared ??= (async () => {
    const trio = await Trio.start()
    afterAll(() => trio[Symbol.asyncDispose]())
    return trio
  })()
  return shared
}

/** Makes a database with the schema, and returns its name. */
export async function newDatabase(trio: Trio): Promise<string> {
  databaseCount += 1
  const name = `cohort${databaseCount}`
  await trio.createDatabase(name)
  const client = newClient(databaseOf(trio.url(name, [trio.primary])).hosts[0]!.url, TIMEOUT_MS)
  await client.connect()
  await migrate(client, name)
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
