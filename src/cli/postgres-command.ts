import type { Command } from 'commander'
import type { Flags } from '../config/lookup.ts'
import { readDatabaseSettings } from '../config/postgres-settings.ts'
import type { Context } from './context.ts'

/** How long each step of `init` may take. A migration waits for those who use the table. */
const STEP_MS = 30_000

/** Adds `cohort postgres` with its command: prepares a database for the engine on Postgres. */
export function addPostgresCommand(program: Command, { environment, stdout }: Context): void {
  const postgres = program
    .command('postgres')
    .summary('prepare a database for the engine on Postgres')
    .description('Prepares a database of Postgres for "cohort connector --engine postgres".')
  postgres
    .command('init')
    .summary('make the schema, or bring it up to date')
    .description(
      'Makes the schema "cohort" in a database, or brings it to the version that this program needs, and prints what it ' +
        'has done. It may be repeated. Run it as the user with which the connectors connect.',
    )
    .option(
      '--database <url>',
      'postgres://user@host1,host2/database, without the password, which the file of PGPASSFILE holds (DATABASE_URL)',
    )
    .addHelpText(
      'after',
      `
Examples:
  cohort postgres init --database postgres://cohort@db1,db2,db3/cohort
  PGPASSFILE=/run/secrets/pgpass DATABASE_URL=postgres://cohort@db1,db2,db3/cohort cohort postgres init

Exit codes:
  0  the schema is as this program needs it
  1  the database cannot be used: the last line says why
  2  a flag or a setting cannot be used`,
    )
    .action(async (flags: Flags) => {
      const database = readDatabaseSettings(flags, environment)
      const { initDatabase } = await import('../engines/postgres/init.ts')
      for (const line of await initDatabase(database, STEP_MS)) stdout.answer(`${line}\n`)
    })
}
