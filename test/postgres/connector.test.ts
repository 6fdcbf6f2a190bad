/** The processes: the command that prepares a database, connectors on it, and moves between engines. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { CohortEngine } from '../../src/engines/cohort/cohort-engine.ts'
import type { Engine } from '../../src/engines/engine.ts'
import { systemClock } from '../../src/process/clock.ts'
import { incarnations } from '../../src/process/incarnations.ts'
import { connectGrpc } from '../../src/rpc/grpc-transport.ts'
import { aNode } from '../../src/testing/node-service.ts'
import { testApp } from '../api/test-app.ts'
import { cohort, cohortHere } from '../cluster/command.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { call, forEach, groupUrl } from '../cluster/load.ts'
import { untilReady } from '../cluster/local-cluster.ts'
import { freePorts } from '../cluster/ports.ts'
import { Service } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { until } from '../cluster/waiting.ts'
import { anEngine, emptyDatabase, sharedTrio, TIMEOUT_MS } from './shared-trio.ts'

leaveNothing()

const MINUTE_MS = 60_000

/** Prepares a database with the command, and starts a connector on it. */
async function aConnector(name: string): Promise<Service> {
  const trio = await sharedTrio()
  await trio.createDatabase(name)
  const url = trio.url(name)
  const { exitCode, output } = await cohortHere('postgres', 'init', '--database', url)
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

/** An engine on a database of its own. */
async function postgresEngine(t: TestContext, name: string): Promise<Engine> {
  const trio = await sharedTrio()
  const { engine, close } = await anEngine(trio.url(await emptyDatabase(trio, name)))
  t.after(close)
  return engine
}

/** An engine on a node. */
async function nodeEngine(t: TestContext): Promise<Engine> {
  const { address } = await aNode(t)
  const engine = new CohortEngine({
    hosts: [address],
    timeoutMs: TIMEOUT_MS,
    replaceAfterMs: MINUTE_MS,
    clusterId: undefined,
    tombstoneGraceMs: MINUTE_MS,
    connect: connectGrpc,
    clock: systemClock,
    random: Math.random,
    logger: pino({ level: 'silent' }),
  })
  const running = engine.run()
  t.after(async () => {
    engine.close()
    await running
  })
  await until('the engine is ready', MINUTE_MS, () => engine.readiness.isReady())
  return engine
}

/** Serves the API on an engine, and returns its URL. */
async function anApp(t: TestContext, engine: Engine): Promise<string> {
  const { registry, groupMembers } = engine
  const { app } = testApp({
    engine: { registry, groupMembers: groupMembers! },
    newIncarnation: incarnations(),
  })
  t.after(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
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
  const { standbys } = await sharedTrio()
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
  const status = await cohortHere('status', '--url', url)
  assert.match(
    status.output,
    /^HEALTHY {2}The primary .* has 2 synchronous standbys, and waits for 1 of them\./,
  )
  assert.match(status.output, /Postgres \d+\.\d+.* {2}timeline \d+ {2}a commit waits for 1 of 2 standbys/)
  for (const { name } of standbys) {
    assert.match(status.output, new RegExp(`^${name} +streaming +yes`, 'm'))
  }
  assert.equal(status.exitCode, 0)
  assert.equal(await connector.end('SIGTERM'), 0)
})

test('groups and their members move from Postgres to nodes and back, with their versions and ETags', async (t) => {
  await using directory = await temporaryDirectory()
  const first = await anApp(t, await postgresEngine(t, 'first'))
  const nodes = await anApp(t, await nodeEngine(t))
  const second = await anApp(t, await postgresEngine(t, 'second'))
  await fill(first, 60)
  const groups = await groupsOf(first)
  const members = await membersOf(first)
  assert.equal(groups.length, 60)
  assert.equal((members as unknown[]).length, 120)
  for (const [from, to] of [
    [first, nodes],
    [nodes, second],
  ] as const) {
    const file = join(directory.path, `${new URL(from).port}.jsonl`)
    const made = await cohortHere('backup', '--url', from, '--out', file)
    assert.equal(made.exitCode, 0, made.output)
    const restored = await cohortHere('restore', '--url', to, '--in', file)
    assert.equal(restored.exitCode, 0, restored.output)
    assert.deepEqual(await groupsOf(to), groups)
    assert.deepEqual(await membersOf(to), members)
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
