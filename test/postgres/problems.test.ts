/** A database that is not what it should be is told in one sentence, which says what to do. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { type Client, DatabaseError } from 'pg'
import { initDatabase } from '../../src/engines/postgres/init.ts'
import { migrate, SCHEMA_VERSION } from '../../src/engines/postgres/migrations.ts'
import { problemOf } from '../../src/engines/postgres/problems.ts'
import { lookAt, newClient } from '../../src/engines/postgres/session.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { putGroupMember } from '../../src/group/put-group-member.ts'
import { FaultError } from '../../src/process/fault.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { until, within } from '../cluster/waiting.ts'
import { anEngine, databaseOf, emptyDatabase, sharedTrio } from './shared-trio.ts'
import { REFUSED_USER } from './trio.ts'

leaveNothing()

const TIMEOUT_MS = 10_000
const NOW = '2026-01-01T00:00:00.000Z'
const CREATE = createGroup({
  groupId: 'g',
  now: '2026-01-01T00:00:00.000Z',
  author: AUTHOR,
  incarnation: 'i',
})

/** The sentence with which an engine refuses to start. */
async function refusal(url: string, options: Readonly<{ clusterId?: string }> = {}): Promise<string> {
  try {
    await using _started = await anEngine(url, options)
  } catch (error) {
    assert.ok(error instanceof FaultError, String(error))
    return error.message
  }
  return assert.fail('it started')
}

test('a connector refuses a database that only a person can mend', async () => {
  const trio = await sharedTrio()
  const { primary } = trio
  const { address } = primary
  const database = await emptyDatabase(trio)
  const url = trio.url(database, [primary])
  assert.equal(
    await refusal(trio.url('nowhere', [primary])),
    `The server ${address} has no database "nowhere": make it, then run "cohort postgres init".`,
  )
  assert.match(
    await refusal(url.replace('postgres@', `${REFUSED_USER}@`)),
    /does not let refused in .*: put the password into the file that PGPASSFILE names, or mend pg_hba\.conf\.$/,
  )
  await trio.createDatabase('ascii', "encoding 'SQL_ASCII' template template0")
  assert.match(await refusal(trio.url('ascii', [primary])), /has the encoding SQL_ASCII: make another one/)
  await trio.createDatabase('bare')
  assert.equal(
    await refusal(trio.url('bare', [primary])),
    'The database "bare" has no schema "cohort": run "cohort postgres init".',
  )
  const clusterId = '00000000-0000-0000-0000-000000000000'
  assert.match(
    await refusal(url, { clusterId }),
    /and this connector serves only 0{8}-.*: name another database/,
  )
  await primary.query('create role stranger login')
  assert.match(
    await refusal(url.replace('postgres@', 'stranger@')),
    /The user stranger lacks a right .*: run "cohort/,
  )
  await primary.query("insert into cohort.migration (version, name) values (99, 'later')", [], database)
  assert.match(
    await refusal(url),
    new RegExp(`has version 99, and this program knows ${SCHEMA_VERSION}: use a newer version of cohort\\.$`),
  )
  await primary.query('delete from cohort.migration', [], database)
  assert.match(
    await refusal(url),
    new RegExp(`has version 0, and this program needs ${SCHEMA_VERSION}: run "cohort postgres init"\\.$`),
  )
})

test('a server that is too old is refused', async () => {
  const row = { version: 130_012, version_name: '13.12', is_standby: false, is_read_only: false }
  const client = { query: async () => ({ rows: [row] }) } as unknown as Client
  const look = lookAt(client, { address: 'db1:5432', database: 'd', user: 'u' })
  await assert.rejects(look, { message: 'The server db1:5432 is Postgres 13.12: upgrade it to 14 or newer.' })
  // One that lacks a function of the first question.
  const error = Object.assign(new DatabaseError('function f() does not exist', 1, 'error'), { code: '42883' })
  const place = { address: 'db1:5432', database: 'd', user: 'u' }
  assert.equal(
    problemOf(error, place).message,
    'The server db1:5432 is not Postgres 14 or newer (function f() does not exist): upgrade it, or name another one.',
  )
})

test('init may be repeated, also at once, and says on a standby that it is one', async () => {
  const trio = await sharedTrio()
  await trio.createDatabase('twice')
  const init = (url: string) => initDatabase(databaseOf(url), TIMEOUT_MS)
  const both = await Promise.all([init(trio.url('twice')), init(trio.url('twice'))])
  assert.equal(both.filter((lines) => lines.includes('Made the schema "cohort".')).length, 1)
  assert.match((await init(trio.url('twice'))).join(' '), /has version \d+: nothing was to be done/)
  const [standby] = trio.standbys
  await assert.rejects(init(trio.url('twice', [standby!])), {
    message: `The server ${standby!.address} is read-only, a standby perhaps: name the primary, or all servers, in --database.`,
  })
})

/** A server that refuses each client as Postgres does. */
async function aRefusingServer(code: string, message: string) {
  const fields = `SFATAL\0C${code}\0M${message}\0\0`
  const head = Buffer.from('E\0\0\0\0')
  head.writeInt32BE(4 + fields.length, 1)
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(Buffer.concat([head, Buffer.from(fields)])))
  })
  server.listen(0, '127.0.0.1')
  await within(TIMEOUT_MS, once(server, 'listening'), 'the refusing server listens')
  return Object.assign(server, { address: `127.0.0.1:${(server.address() as AddressInfo).port}` })
}

test('init asks the other servers when one does not know the database yet, as a standby that is behind', async () => {
  const trio = await sharedTrio()
  await trio.createDatabase('new')
  await using behind = await aRefusingServer('3D000', 'database "new" does not exist')
  const before = (url: string) => url.replace('@', `@${behind.address},`)
  const lines = await initDatabase(databaseOf(before(trio.url('new', [trio.primary]))), TIMEOUT_MS)
  assert.match(lines.join(' '), /^The primary is .* Made the schema "cohort"\./)
  // What is wrong with each is told when none can be used.
  const [standby] = trio.standbys
  const ofStandby = trio.url('new', [standby!])
  // A commit waits for one of the standbys, and this may be the other one.
  await until('the standby knows the database', TIMEOUT_MS, async () => {
    const client = newClient(databaseOf(ofStandby).hosts[0]!.url, TIMEOUT_MS)
    const isKnown = await client.connect().then(
      () => true,
      () => false,
    )
    await client.end()
    return isKnown
  })
  const unusable = databaseOf(before(ofStandby))
  await assert.rejects(
    initDatabase(unusable, TIMEOUT_MS),
    /has no database "new": make it, then .* is read-only, a standby perhaps/,
  )
})

test('groups of schema 1 stay after its migration, may have members, and old connectors write no more', async () => {
  const trio = await sharedTrio()
  const { primary } = trio
  await trio.createDatabase('older')
  const url = trio.url('older', [primary])
  const client = newClient(databaseOf(url).hosts[0]!.url, TIMEOUT_MS)
  await client.connect()
  try {
    await migrate(client, 'older', 1)
    const old = `insert into cohort.register (key, value, generation, write_ids, updated_at, changed_at)
      values ($1, $2, 1, '{w}', clock_timestamp(), nextval('cohort.changes'))`
    const group = { groupId: 'old', version: 3, incarnation: 'i', createdAt: NOW, updatedAt: NOW }
    for (const groupId of ['old', 'older']) {
      await client.query(old, [`group/${groupId}`, Buffer.from(JSON.stringify({ ...group, groupId }))])
    }
    assert.match(await refusal(url), /has version 1, and this program needs \d+: run "cohort postgres init"/)
    assert.match((await migrate(client, 'older')).join(' '), /^Applied migration 2: /)
    await assert.rejects(client.query(old, ['group/late', Buffer.from('{}')]))
    await using started = await anEngine(url)
    const { registry, groupMembers } = started.engine
    assert.deepEqual(await registry.read('old'), { kind: 'done', value: group })
    const command = putGroupMember({ memberId: 'm', now: NOW, author: AUTHOR, incarnation: 'm-1' })
    const added = await groupMembers.put('old', 'm', command)
    assert.equal(added.kind === 'done' && added.value.kind, 'added')
    const other = await groupMembers.read('older', 'm')
    assert.deepEqual(other, { kind: 'done', value: { hasGroup: true, member: undefined } })
  } finally {
    await client.end()
  }
})

test('a connector waits for what can mend itself, and its status says what it waits for', async () => {
  const trio = await sharedTrio()
  const { primary, standbys } = trio
  const database = await emptyDatabase(trio)
  const reasonOf = async (url: string, options = {}) => {
    await using started = await anEngine(url, { timeoutMs: 1_000, ...options })
    const { engine } = started
    const outcome = await engine.registry.change('g', CREATE)
    const { verdict, reason } = engine.status.describe()
    assert.equal(outcome.kind, 'not_applied')
    assert.equal(verdict, 'unavailable')
    return reason
  }
  assert.match(await reasonOf(trio.url(database, [standbys[0]!])), /is read-only, a standby perhaps/)
  assert.match(
    await reasonOf(trio.url(database, [primary]), { synchronousStandbys: 2 }),
    /waits for 1 standby and must wait for 2: set its synchronous_standby_names/,
  )
  assert.match(
    await reasonOf('postgres://postgres@127.0.0.1:1/d'),
    /127\.0\.0\.1:1 does not serve \(.*ECONNREFUSED.*\): start it, or see in its log why/,
  )
  await primary.query('create role blind login', [], database)
  await primary.query('grant usage on schema cohort to blind', [], database)
  await primary.query(
    'grant select, insert, update, delete on all tables in schema cohort to blind',
    [],
    database,
  )
  const ofBlind = await reasonOf(trio.url(database, [primary]).replace('postgres@', 'blind@'))
  assert.match(ofBlind, /The user blind lacks a right .*grant pg_read_all_stats/)
})

test('without a standby asked for, changes are made, and the status says what that means', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await trio.primary.query(`alter system set synchronous_standby_names = ''`)
  await trio.primary.query('select pg_reload_conf()')
  try {
    await using started = await anEngine(trio.url(database, [trio.primary]), { synchronousStandbys: 0 })
    const { engine } = started
    assert.equal((await engine.registry.change('g', CREATE)).kind, 'done')
    await until('the status says so', TIMEOUT_MS, () => {
      return /lost primary loses acknowledged writes/.test(engine.status.describe().reason)
    })
    assert.equal(engine.status.describe().verdict, 'degraded')
  } finally {
    await trio.primary.query('alter system reset synchronous_standby_names')
    await trio.primary.query('select pg_reload_conf()')
    await trio.untilSynchronous(2)
  }
})

test('a full disk refuses changes, says so, and leaves the reads', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]))
  const { engine } = started
  await trio.primary.query(
    `create function cohort.full() returns trigger language plpgsql as
     $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;`,
    [],
    database,
  )
  await trio.primary.query(
    'create trigger disk_full before insert on cohort.register execute function cohort.full()',
    [],
    database,
  )
  const outcome = await engine.registry.change('g', CREATE)
  assert.ok(outcome.kind === 'not_applied', JSON.stringify(outcome))
  assert.match(outcome.reason, /^The disk of the primary .* is full: free space on it; reads go on$/)
  assert.match(engine.status.describe().reason, /is full/)
  assert.deepEqual(await engine.registry.read('g'), { kind: 'done', value: undefined })
  await trio.primary.query('drop trigger disk_full on cohort.register', [], database)
  assert.equal((await engine.registry.change('g', CREATE)).kind, 'done')
  assert.notEqual(engine.status.describe().verdict, 'unavailable')
})

test('bytes that are no group are told, and the others are listed', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]))
  const { registry } = started.engine
  await registry.change('g', CREATE)
  await trio.primary.query(
    "insert into cohort.register values ('group/bad', 'x'::bytea, 1, '{}', now(), 1, '1')",
    [],
    database,
  )
  assert.equal((await registry.read('bad')).kind, 'unreadable')
  const page = await registry.scan({ limit: 10 })
  assert.ok(page.kind === 'done')
  assert.deepEqual([page.value.groups.map(({ groupId }) => groupId), page.value.unreadable], [['g'], ['bad']])
})
