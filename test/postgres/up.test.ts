/** `cohort up --engine postgres` with the programs of Postgres, from its first start to its end. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planOnPostgres } from '../../src/cli/up/postgres/on-postgres.ts'
import { findServers } from '../../src/cli/up/postgres/server-data.ts'
import { readUpSettings } from '../../src/config/settings.ts'
import { initDatabase } from '../../src/engines/postgres/init.ts'
import { statusOf } from '../cluster/cluster-status.ts'
import { leaveNothing, startedProcesses } from '../cluster/leave-nothing.ts'
import { create, read } from '../cluster/load.ts'
import { freePorts } from '../cluster/ports.ts'
import { type Program, Service, THIS_PROGRAM } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { until } from '../cluster/waiting.ts'
import { handOver, installPrograms, RUN_AS } from './programs.ts'
import { databaseOf } from './shared-trio.ts'

leaveNothing()

const READY = /Ctrl-C stops it/
/** The start of three servers and a connector, with initdb before it, on a busy machine. */
const READY_MS = 90_000
const STOPPED_MS = 20_000

/**
 * `cohort` with this PATH before its own, as a user who is not root. It keeps the right to read the files of
 * root, where this repository may lie.
 */
function programWith(path: string): Program {
  const { uid, gid } = RUN_AS
  const drop = ['--clear-groups', '--inh-caps=+dac_override', '--ambient-caps=+dac_override']
  const asUser = uid === undefined ? [] : ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, ...drop]
  return ['env', `PATH=${path}:${process.env.PATH}`, ...asUser, ...THIS_PROGRAM]
}

test('up starts servers of Postgres, makes the schema, keeps the groups, and ends all of them', async (t) => {
  await using directory = await temporaryDirectory()
  await handOver(directory.path, 0o755)
  const program = programWith(await installPrograms(directory.path))
  const dataDir = `${directory.path}/data`
  const [port = 0] = await freePorts(4)
  const args = ['up', '--engine', 'postgres', '--data-dir', dataDir, '--port', String(port)]
  const url = `http://127.0.0.1:${port}`
  await using up = new Service('up', port, args, program)
  up.start()

  await t.test('it says what it has made, and a commit waits for a standby', async () => {
    await up.says(READY, READY_MS)
    assert.match(up.output, /^cohort +\| Made the schema "cohort"\.$/m)
    assert.match(up.output, /^cohort +\| A commit waits for 1 standby\.$/m)
    assert.match(up.output, /^cohort +\| ready: 3 servers, 1 connector$/m)
    assert.match(up.output, /^cohort +\| {3}database {2}postgres:\/\/cohort@127\.0\.0\.1:\d+,.*PGPASSFILE=/m)
    assert.doesNotMatch(up.output, /Warning/)
    assert.equal((await create(url, 'kept')).status, 201)
    const { body } = await read(url, 'kept')
    assert.equal(body.groupId, 'kept')
  })

  await t.test('nobody without the password is let in', async () => {
    const stranger = databaseOf(`postgres://cohort@127.0.0.1:${port + 1}/postgres`)
    const refused = /does not let cohort in .*: put the password into the file that PGPASSFILE names/
    await assert.rejects(initDatabase(stranger, STOPPED_MS), refused)
  })

  await t.test('a stop ends the connector first, and leaves nothing', async () => {
    assert.equal(await up.end('SIGINT', STOPPED_MS), 0, up.output)
    assert.match(up.output, /^cohort +\| stopping: connectors first, then servers$/m)
    assert.deepEqual(await startedProcesses(process.pid), [])
  })

  await t.test('the data are refused with another number of servers', async () => {
    assert.equal((await findServers(dataDir, 3))?.major, Number(/PostgreSQL (\d+)/.exec(up.output)?.[1]))
    await assert.rejects(findServers(dataDir, 5), {
      message: `${dataDir} holds the data of 3 servers of Postgres, but 5 servers were asked for: use --nodes 3, or another --data-dir`,
    })
  })

  await t.test('the groups are there again; when up itself is killed, its servers end', async () => {
    const from = up.output.length
    up.start()
    await up.says(READY, READY_MS, from)
    assert.match(up.output.slice(from), /nothing was to be done/)
    assert.equal((await read(url, 'kept')).status, 200)
    await up.end('SIGKILL')
    await until('nothing is left', STOPPED_MS, async () => (await startedProcesses(process.pid)).length === 0)
    assert.equal(await statusOf(url).catch(() => undefined), undefined)
  })
})

test('root is told to run it as another user', async (t) => {
  t.mock.method(process as { getuid: () => number }, 'getuid', () => 0)
  const settings = readUpSettings({ engine: 'postgres' }, { variables: {}, dotEnv: {} })
  await assert.rejects(planOnPostgres(settings), {
    message:
      'Postgres refuses to run as root: run this command as another user, or name a database with --database',
  })
})
