/** The schema of the database. It only grows: each change is a migration with the next number. */
import type { ClientBase } from 'pg'
import { DatabaseProblem, schemaMissing, schemaOther } from './problems.ts'

/**
 * A connector of the version before is refused at its next connection. Where that connector would do harm
 * until then, `statements` must make its statements fail.
 */
type Migration = Readonly<{ name: string; statements: readonly string[] }>

/** The migration at index n makes version n + 1. */
const MIGRATIONS: readonly Migration[] = [
  {
    name: 'registers',
    statements: [
      // A key is the namespace and the id, in the order of its bytes. Without a value the row is a tombstone.
      `create table cohort.register (
         key text collate "C" primary key,
         value bytea,
         generation bigint not null,
         write_ids text[] not null,
         updated_at timestamptz not null,
         changed_at bigint not null
       ) with (fillfactor = 85)`,
      'create sequence cohort.changes',
      // What tells this database from others, as the id of a cluster does.
      'create table cohort.identity as select gen_random_uuid() as cluster_id',
      // For the removal of tombstones.
      'create index register_tombstones on cohort.register (updated_at) where value is null',
    ],
  },
  {
    name: 'members of groups, and changes in their order',
    statements: [
      // Each time from a creation to a deletion has a number of its own: members belong to that life.
      'create sequence cohort.lives',
      `alter table cohort.register
         add column life bigint not null default nextval('cohort.lives'),
         add column changed_xid xid8 not null default pg_current_xact_id()`,
      // A connector of the version before notes neither: without its column, its statements fail.
      'alter table cohort.register alter column life drop default, alter column changed_xid drop default',
      'alter table cohort.register drop column changed_at',
      'drop sequence cohort.changes',
      // For those who watch.
      'create index register_changes on cohort.register (changed_xid)',
      // The transactions that have changed the tombstones that are removed: none is after this one.
      "create table cohort.swept as select '0'::xid8 as through",
      `create table cohort.group_member (
         group_id text collate "C" not null,
         life bigint not null,
         member_id text collate "C" not null,
         value bytea,
         generation bigint not null,
         write_ids text[] not null,
         updated_at timestamptz not null,
         primary key (group_id, life, member_id)
       ) with (fillfactor = 85)`,
      // From a member to its groups.
      `create index group_member_groups on cohort.group_member (member_id, group_id)
         where value is not null`,
    ],
  },
]

/** The version that this program needs. */
export const SCHEMA_VERSION = MIGRATIONS.length

/** The number of the lock that only one migration holds at a time. */
const LOCK = 7_265_104_410

/** What `migrate` has done, a sentence each. Empty: nothing was to be done. */
export type MigrationReport = readonly string[]

/**
 * Brings the schema to a version, in one transaction. May be repeated.
 *
 * @param through default: the version that this program needs
 */
export async function migrate(
  client: ClientBase,
  database: string,
  through = SCHEMA_VERSION,
): Promise<MigrationReport> {
  const done: string[] = []
  await client.query('begin')
  try {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK])
    const { rows } = await client.query("select to_regnamespace('cohort') is not null as is_there")
    if (!rows[0].is_there) {
      await client.query('create schema cohort')
      await client.query(
        'create table cohort.migration (version integer primary key, name text not null, applied_at timestamptz not null default now())',
      )
      done.push('Made the schema "cohort".')
    }
    const found = (await versionOf(client)) ?? 0
    if (found > SCHEMA_VERSION) {
      throw new DatabaseProblem('setup', schemaOther(database, found, SCHEMA_VERSION))
    }
    for (const [index, { name, statements }] of MIGRATIONS.slice(0, through).entries()) {
      const version = index + 1
      if (version <= found) continue
      for (const statement of statements) await client.query(statement)
      await client.query('insert into cohort.migration (version, name) values ($1, $2)', [version, name])
      done.push(`Applied migration ${version}: ${name}.`)
    }
    await client.query('commit')
    return done
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}

/**
 * Checks that the schema is the one of this program, and returns the id of the cluster.
 *
 * @throws DatabaseProblem
 */
export async function checkSchema(client: ClientBase, database: string): Promise<string> {
  const found = await versionOf(client)
  if (found === undefined) throw new DatabaseProblem('setup', schemaMissing(database))
  if (found !== SCHEMA_VERSION)
    throw new DatabaseProblem('setup', schemaOther(database, found, SCHEMA_VERSION))
  const { rows } = await client.query('select cluster_id from cohort.identity')
  return rows[0].cluster_id
}

/** `undefined`: there is no schema. */
async function versionOf(client: ClientBase): Promise<number | undefined> {
  const { rows: there } = await client.query("select to_regclass('cohort.migration') is not null as is_there")
  if (!there[0].is_there) return undefined
  const { rows } = await client.query('select coalesce(max(version), 0) as version from cohort.migration')
  return rows[0].version
}
