/** Prepares a database for the engine. */
import type { Database } from '../../config/database-url.ts'
import { FaultError } from '../../process/fault.ts'
import { migrate, SCHEMA_VERSION } from './migrations.ts'
import { codeOf, type DatabaseProblem, NO_DATABASE, problemOf } from './problems.ts'
import { destroyClient, lookAt, newClient } from './session.ts'
import { standbysWaitedFor } from './synchronous-names.ts'

/**
 * Makes the schema on the primary, or brings it up to date. It may be repeated, also at the same time.
 *
 * @returns what was done and found, a sentence each
 * @throws {FaultError} the sentence that says what to do
 */
export async function initDatabase(
  { name, user, hosts }: Database,
  timeoutMs: number,
): Promise<readonly string[]> {
  const problems: DatabaseProblem[] = []
  for (const { address, url } of hosts) {
    const place = { address, database: name, user }
    const client = newClient(url, timeoutMs)
    client.on('error', () => undefined)
    let isPrimary = false
    try {
      await client.connect()
      await lookAt(client, place)
      isPrimary = true
      const done = await migrate(client, name)
      const { rows } = await client.query('show synchronous_standby_names')
      await client.end()
      return [
        `The primary is ${address}.`,
        ...(done.length === 0
          ? [
              `The schema "cohort" of the database "${name}" has version ${SCHEMA_VERSION}: nothing was to be done.`,
            ]
          : done),
        durabilityOf(standbysWaitedFor(rows[0].synchronous_standby_names)),
      ]
    } catch (error) {
      destroyClient(client)
      const problem = problemOf(error, place)
      problems.push(problem)
      // A standby that is behind does not know a new database of the primary yet.
      const mayBeBehind = codeOf(error) === NO_DATABASE
      if (isPrimary || !(problem.kind === 'elsewhere' || mayBeBehind)) break
    }
  }
  const sentences = new Set(problems.map(({ message }) => message))
  throw new FaultError('database_unusable', [...sentences].join(' '), problems.at(-1))
}

function durabilityOf(waitsFor: number): string {
  if (waitsFor > 0) return `A commit waits for ${waitsFor} ${waitsFor === 1 ? 'standby' : 'standbys'}.`
  return 'A commit waits for no standby: set synchronous_standby_names, or connectors will acknowledge no change.'
}
