/**
 * What operators see of a real cluster: the verdict as nodes come and go, and the alarm for a divergence.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ClusterStatus, GroupReplicas } from '../../src/api/status-schemas.ts'
import { SqliteStore } from '../../src/node/store/sqlite-store.ts'
import type { State } from '../../src/register/state.ts'
import { clusterStatus, untilStatus, untilVerdict } from './cluster-status.ts'
import { startCommand } from './command.ts'
import { databasePath, rowOf } from './disk-contents.ts'
import { call, create, groupUrl, read, remove } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { sharedCluster } from './shared-cluster.ts'
import { until } from './waiting.ts'

/** The figures of nodes are at most a second old. */
const SAID_MS = 5_000

const aCluster = sharedCluster()

async function replicasOf(url: string, groupId: string): Promise<GroupReplicas> {
  const { status, body } = await call('GET', `${groupUrl(url, groupId)}/replicas`)
  assert.equal(status, 200, JSON.stringify(body))
  return body as unknown as GroupReplicas
}

// It counts everything from the start of the cluster, so it is the first one.
test('both kinds of process have metrics, and they tell what has been done', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  for (const groupId of ['a', 'b', 'c']) assert.equal((await create(url, groupId)).status, 201)
  assert.equal((await create(url, 'a')).status, 409)
  assert.equal((await read(url, 'a')).status, 200)
  assert.equal((await remove(url, 'b')).status, 200)
  await untilVerdict(url, 'healthy')
  const connector = await figuresOf(`${url}/metrics`)
  assert.equal(connector.get('cohort_http_requests_total{method="POST",route="/v1/group",status="201"}'), 3)
  assert.equal(connector.get('cohort_http_requests_total{method="POST",route="/v1/group",status="409"}'), 1)
  assert.equal(connector.get('cohort_verdict{verdict="healthy"}'), 1)
  assert.equal(connector.get('cohort_epoch'), 1)
  const writes = ['fast', 'classic', 'led'].map(
    (kind) => connector.get(`cohort_rounds_total{kind="${kind}"}`)!,
  )
  assert.ok(writes.reduce((sum, count) => sum + count) >= 4, String(writes))
  assert.ok(connector.get('cohort_rounds_total{kind="read"}')! >= 1)
  assert.ok(connector.get('cohort_batch_requests_count')! > 0)
  assert.ok(connector.get('process_cpu_seconds_total')! > 0)
  const { members } = await clusterStatus(url)
  for (const { nodeId, address } of members) {
    const labels = `node="${nodeId}",address="${address}"`
    assert.equal(connector.get(`cohort_node_reachable{${labels}}`), 1)
    assert.ok(connector.get(`cohort_node_round_trip_seconds_count{${labels}}`)! > 0)
  }

  for (const { output } of cluster.nodes) {
    const port = /"metricsPort":(\d+)/.exec(output)?.[1]
    const node = await figuresOf(`http://127.0.0.1:${port}/metrics`)
    // The membership is a record as well.
    assert.equal(node.get('cohort_records'), 4)
    assert.equal(node.get('cohort_tombstones'), 1)
    assert.equal(node.get('cohort_stubs'), 0)
    assert.equal(node.get('cohort_epoch'), 1)
    assert.ok(node.get('cohort_messages_total{kind="accept",outcome="ok"}')! >= 4)
    assert.ok(node.get('cohort_commit_duration_seconds_count')! >= 4)
    assert.ok(node.get('cohort_turn_requests_sum')! >= node.get('cohort_turn_batches_sum')!)
    assert.ok(
      node.get('cohort_database_bytes{file="db"}')! + node.get('cohort_database_bytes{file="wal"}')! > 4096,
    )
    assert.equal(node.get('cohort_store_errors_total'), 0)
    assert.ok(node.get('nodejs_eventloop_lag_seconds')! >= 0)
  }
})

test('healthy, a node dies: degraded, another: unavailable, both return: healthy', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  for (const groupId of ['v', 'w']) assert.equal((await create(url, groupId)).status, 201)
  const healthy = await untilVerdict(url, 'healthy')
  assert.equal(healthy.epoch, 1)
  await untilStatus(
    url,
    'all nodes have said what they hold',
    ({ members }) =>
      members.every(
        ({ records, version, epoch, latencyMs }) =>
          Number(records) >= 2 && version !== null && epoch === 1 && Number(latencyMs?.p50) > 0,
      ),
    SAID_MS,
  )

  await cluster.nodes[2]!.end('SIGKILL')
  const degraded = await untilVerdict(url, 'degraded')
  assert.match(degraded.reason, new RegExp(`2 of 3 nodes answer.*${cluster.nodes[2]!.address}`))
  assert.deepEqual(
    degraded.members.map(({ reachable }) => reachable),
    [true, true, false],
  )

  await cluster.nodes[1]!.end('SIGKILL')
  const unavailable = await untilVerdict(url, 'unavailable')
  assert.match(unavailable.reason, /only 1 of 3 nodes answers, and 2 are needed/i)
  const { agree, replicas } = await replicasOf(url, 'v')
  assert.deepEqual(
    [agree, replicas.map(({ holds }) => holds)],
    [false, ['group', 'unreachable', 'unreachable']],
  )

  for (const node of cluster.nodes.slice(1)) node.start()
  await untilVerdict(url, 'healthy')
})

test('a stopped node delays no status, and its replica is unreachable within the deadline', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 's')).status, 201)
  await untilVerdict(url, 'healthy')
  cluster.nodes[0]!.signal('SIGSTOP')
  const startMs = performance.now()
  await clusterStatus(url)
  const { replicas } = await replicasOf(url, 's')
  assert.ok(performance.now() - startMs < 2_500)
  assert.deepEqual(
    replicas.map(({ holds }) => holds),
    ['unreachable', 'group', 'group'],
  )
  await untilVerdict(url, 'degraded')
})

test('replicas of a group that is there, that was deleted, and that never was', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'r')).status, 201)
  const live = await replicasOf(url, 'r')
  assert.deepEqual([live.agree, live.replicas.map(({ version }) => version)], [true, [1, 1, 1]], live.reason)
  assert.equal((await remove(url, 'r')).status, 200)
  const holdsOf = async (groupId: string) =>
    (await replicasOf(url, groupId)).replicas.map(({ holds }) => holds)
  assert.deepEqual(await holdsOf('r'), ['tombstone', 'tombstone', 'tombstone'])
  assert.deepEqual(await holdsOf('never'), ['absent', 'absent', 'absent'])
})

test('a connector that finds no cluster says so at once, and names the hosts for which it waits', async () => {
  const hosts = '127.0.0.1:1,127.0.0.1:2,127.0.0.1:3'
  await using lonely = startCommand('connector', '--port', '0', '--hosts', hosts)
  await lonely.says(/connector is listening/, 10_000)
  const port = /"port":(\d+)/.exec(lonely.output)?.[1]
  const url = `http://127.0.0.1:${port}`
  const status = await clusterStatus(url)
  assert.equal(status.verdict, 'unavailable')
  assert.deepEqual(
    status.members.map(({ address, reachable }) => [address, reachable]),
    [1, 2, 3].map((host) => [`127.0.0.1:${host}`, false]),
  )
  const saysWhy = ({ reason }: ClusterStatus) => /no node answers at 127.0.0.1:1, /.test(reason)
  await untilStatus(url, 'it says why', saysWhy, SAID_MS)
  const { status: code } = await call('GET', `${url}/v1/group/a/replicas`)
  assert.equal(code, 503)
})

/**
 * Wrong records that a node might hold for `group/a`, with right checksums, and the part of the program that
 * finds each.
 */
const WRONG_STATES: Readonly<Record<string, (state: State) => State>> = {
  'another value, which reads find': (state) => ({
    ...state,
    value: Buffer.from(Buffer.from(state.value!).toString().replace('"a"', '"z"')),
  }),
  'another write, which repair finds': (state) => {
    const writeId = { proposerId: 4242, sequence: 1 }
    return { ...state, writeId, lineage: [writeId] }
  },
}

for (const [what, wrong] of Object.entries(WRONG_STATES)) {
  test(`a node that holds ${what}, is an alarm, and nothing of it is overwritten`, async () => {
    await using cluster = await LocalCluster.start()
    const { url } = cluster.connectors[0]!
    assert.equal((await create(url, 'a')).status, 201)
    await until('all nodes know that it is chosen', SAID_MS, async () =>
      (await replicasOf(url, 'a')).replicas.every(({ chosen }) => chosen === true),
    )
    const node = cluster.nodes[0]!
    await node.end('SIGTERM')
    const store = new SqliteStore(databasePath(cluster.dataDirectory(0)))
    const held = store.load('group/a')
    store.transaction(() => store.save('group/a', held, { ...held, state: wrong(held.state) }))
    store.close()
    node.start()
    const isReadTo = what.includes('reads find')
    await until('the divergence is seen', 10_000, async () => {
      if (isReadTo) await read(url, 'a')
      return (await clusterStatus(url)).divergences.count >= 2
    })
    const rows = () => cluster.nodes.map((_, index) => rowOf(cluster.dataDirectory(index), 'group/a'))
    const before = rows()

    const { agree, reason } = await replicasOf(url, 'a')
    assert.deepEqual([agree, reason.startsWith('Divergence')], [false, true], reason)
    const status = await clusterStatus(url)
    assert.equal(status.verdict, 'degraded')
    assert.match(status.reason, /^2 divergences/)
    assert.deepEqual(
      status.divergences.first.map(({ key }) => key),
      ['group/a', 'group/a'],
    )
    // Long enough for every pair of nodes to be compared; a read heals a node that seems to lag.
    const endMs = performance.now() + 500
    while (performance.now() < endMs) await read(url, 'a')
    assert.equal((await replicasOf(url, 'a')).agree, false)
    assert.deepEqual(rows(), before)
    const alarms = cluster.connectors[0]!.output.split('\n').filter((line) =>
      /"level":50.*"msg":"divergence/.test(line),
    )
    assert.equal(alarms.length, 2)
    assert.equal((await figuresOf(`${url}/metrics`)).get('cohort_divergence_total'), 2)
  })
}

/** By name and labels, as they stand there. */
async function figuresOf(url: string): Promise<Map<string, number>> {
  const text = await (await fetch(url, { signal: AbortSignal.timeout(SAID_MS) })).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ')
      return [line.slice(0, space), Number(line.slice(space + 1))]
    }),
  )
}
