/** The processes: the command that prepares a database, connectors on it, and moves between engines. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { cohort } from '../cluster/command.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { call, forEach, groupUrl } from '../cluster/load.ts'
import { LocalCluster, untilReady } from '../cluster/local-cluster.ts'
import { freePorts } from '../cluster/ports.ts'
import { Service } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { sharedTrio } from './shared-trio.ts'

leaveNothing()

/** Prepares a database with the command, and starts a connector on it. */
async function aConnector(name: string): Promise<Service> {
  const trio = await sharedTrio()
  await trio.createDatabase(name)
  const url = trio.url(name)
  const { exitCode, output } = await cohort('postgres', 'init', '--database', url)
  assert.equal(exitCode, 0, output)
  assert.match(
    output,
    /^The primary is .*\.\nMade the schema "cohort"\.\nApplied migration 1: registers\.\n(Applied migration \d+: .*\.\n)+A commit/,
  )
  const [port] = await freePorts(1)
  const flags = ['--engine', 'postgres', '--database', url, '--port', String(port)]
  const connector = new Service(name, port!, ['connector', ...flags])
  await connector.restart()
  await untilReady(connector)
  return connector
}

/** Makes groups, of which some have further versions, and members. */
async function fill(base: string, count: number): Promise<void> {
  const groupIds = Array.from({ length: count }, (_, index) => `move/${index} 🦊`)
  await forEach(
    groupIds,
    async (groupId) => {
      const body = { groupId, description: `about ${groupId}`, labels: { n: 'x' } }
      assert.equal((await call('POST', `${base}/v1/group`, body)).status, 201)
      for (const memberId of ['alice', `of ${groupId}`]) {
        const path = `${groupUrl(base, groupId)}/members/${encodeURIComponent(memberId)}`
        assert.equal((await call('PUT', path, { role: 'owner' })).status, 201)
      }
      if (!groupId.includes('7')) return
      assert.equal((await call('PUT', `${groupUrl(base, groupId)}/members/alice`, {})).status, 200)
      assert.equal((await call('PATCH', groupUrl(base, groupId), { labels: { more: 'y' } })).status, 200)
    },
    8,
  )
}

/** What a backup has of each group, its incarnation included, which makes the ETag. */
async function groupsOf(base: string): Promise<unknown[]> {
  const { body } = await call('GET', `${base}/v1/backup?limit=1000`)
  return (body.groups as { life?: string }[]).map(({ life: _, ...group }) => group)
}

/** What a backup has of each member. */
async function membersOf(base: string): Promise<unknown> {
  const { body } = await call('GET', `${base}/v1/backup/members?limit=1000`)
  return body.members
}

test('a connector serves the API on a database, without the routes of what the engine has not', async () => {
  await using connector = await aConnector('served')
  const { url } = connector
  assert.equal((await call('POST', `${url}/v1/group`, { groupId: 'a' })).status, 201)
  assert.equal((await call('POST', `${url}/v1/group`, { groupId: 'a' })).status, 409)
  assert.equal((await call('GET', groupUrl(url, 'a'))).status, 200)
  assert.equal((await call('GET', `${groupUrl(url, 'a')}/replicas`)).status, 404)
  const { body } = await call('GET', `${url}/v1/openapi.json`)
  const paths = Object.keys(body.paths as object)
  assert.ok(paths.includes('/v1/group/{groupId}') && paths.includes('/v1/cluster'))
  assert.deepEqual(
    paths.filter((path) => /replicas|cluster\/member/.test(path)),
    [],
  )
  for (const path of ['/v1/watch', '/v1/group/{groupId}/members/{memberId}']) assert.ok(paths.includes(path))
  const status = await cohort('status', '--url', url)
  assert.match(
    status.output,
    /^HEALTHY {2}The primary .* has 2 synchronous standbys, and waits for 1 of them\./,
  )
  assert.match(status.output, /Postgres \d+\.\d+.* {2}timeline 1 {2}a commit waits for 1 of 2 standbys/)
  assert.match(status.output, /^s2 +streaming +yes/m)
  assert.equal(status.exitCode, 0)
  assert.equal(await connector.end('SIGTERM'), 0)
})

test('groups and their members move from Postgres to nodes and back, with their versions and ETags', async () => {
  await using directory = await temporaryDirectory()
  await using first = await aConnector('first')
  await using second = await aConnector('second')
  await using cluster = await LocalCluster.start({ nodes: 1, connectors: 1 })
  const nodes = cluster.connectors[0]!
  await fill(first.url, 60)
  const groups = await groupsOf(first.url)
  const members = await membersOf(first.url)
  assert.equal(groups.length, 60)
  assert.equal((members as unknown[]).length, 120)
  for (const [from, to] of [
    [first, nodes],
    [nodes, second],
  ] as const) {
    const file = join(directory.path, `${from.name}.jsonl`)
    const made = await cohort('backup', '--url', from.url, '--out', file)
    assert.equal(made.exitCode, 0, made.output)
    const restored = await cohort('restore', '--url', to.url, '--in', file)
    assert.equal(restored.exitCode, 0, restored.output)
    assert.deepEqual(await groupsOf(to.url), groups)
    assert.deepEqual(await membersOf(to.url), members)
  }
})

test('a connector on a database that only a person can mend ends at once with the sentence', async () => {
  const trio = await sharedTrio()
  await trio.createDatabase('empty')
  const { exitCode, output } = await cohort(
    'connector',
    '--engine',
    'postgres',
    '--database',
    trio.url('empty'),
  )
  assert.equal(exitCode, 1)
  assert.match(output, /cohort: The database "empty" has no schema "cohort": run "cohort postgres init"\.$/m)
})
