/**
 * What operators see of a real cluster: the verdict as nodes come and go, and the alarm for a divergence.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { SqliteStore } from '../../src/node/store/sqlite-store.ts'
import type { State } from '../../src/register/state.ts'
import { clusterStatus, replicasOf, untilStatus, untilVerdict } from './cluster-status.ts'
import { databasePath, rowOf } from './disk-contents.ts'
import { call, create, read, remove } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { untilEqual } from './node-contents.ts'
import { ServiceHere } from './service-here.ts'
import { commonCluster } from './shared-cluster.ts'
import { until } from './waiting.ts'

/** The figures of nodes are at most a second old. */
const SAID_MS = 5_000

const aCluster = commonCluster

test('both kinds of process have metrics, and they tell what has been done', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  // Other tests use the cluster too: what is told before is taken off.
  await untilEqual(cluster.nodes)
  const before = await figuresOf(`${url}/metrics`)
  const metricsOf = cluster.nodes.map(({ output }) => {
    const port = [...output.matchAll(/"metricsPort":(\d+)/g)].at(-1)?.[1]
    return `http://127.0.0.1:${port}/metrics`
  })
  const beforeOf = await Promise.all(metricsOf.map(figuresOf))
  for (const groupId of ['m1', 'm2', 'm3']) assert.equal((await create(url, groupId)).status, 201)
  assert.equal((await create(url, 'm1')).status, 409)
  assert.equal((await read(url, 'm1')).status, 200)
  assert.equal((await remove(url, 'm2')).status, 200)
  await untilVerdict(url, 'healthy')
  const connector = await figuresOf(`${url}/metrics`)
  const since = (name: string) => (connector.get(name) ?? Number.NaN) - (before.get(name) ?? 0)
  assert.equal(since('cohort_http_requests_total{method="POST",route="/v1/group",status="201"}'), 3)
  assert.equal(since('cohort_http_requests_total{method="POST",route="/v1/group",status="409"}'), 1)
  assert.equal(connector.get('cohort_verdict{verdict="healthy"}'), 1)
  assert.equal(connector.get('cohort_epoch'), 1)
  const writes = ['fast', 'classic', 'led'].map((kind) => since(`cohort_rounds_total{kind="${kind}"}`))
  assert.ok(writes.reduce((sum, count) => sum + count) >= 4, String(writes))
  assert.ok(since('cohort_rounds_total{kind="read"}') >= 1)
  assert.ok(connector.get('cohort_batch_requests_count')! > 0)
  assert.ok(connector.get('process_cpu_seconds_total')! > 0)
  const { members } = await clusterStatus(url)
  for (const { nodeId, address } of members) {
    const labels = `node="${nodeId}",address="${address}"`
    assert.equal(connector.get(`cohort_node_reachable{${labels}}`), 1)
    assert.ok(connector.get(`cohort_node_round_trip_seconds_count{${labels}}`)! > 0)
  }

  for (const [index, metrics] of metricsOf.entries()) {
    const node = await figuresOf(metrics)
    const since = (name: string) => (node.get(name) ?? Number.NaN) - (beforeOf[index]!.get(name) ?? 0)
    assert.equal(since('cohort_records'), 3)
    assert.equal(since('cohort_tombstones'), 1)
    assert.ok(since('cohort_stubs') <= 0)
    assert.equal(node.get('cohort_epoch'), 1)
    // Repair may have brought one of the four changes to a node that was late.
    assert.ok(since('cohort_messages_total{kind="accept",outcome="ok"}') >= 3)
    assert.ok(since('cohort_commit_duration_seconds_count') >= 3)
    // A turn may have heartbeats, which are batches without requests.
    assert.equal(node.get('cohort_turn_requests_count'), node.get('cohort_turn_batches_count'))
    assert.ok(node.get('cohort_turn_requests_sum')! >= node.get('cohort_turn_requests_count')!)
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

  await cluster.nodes[2]!.end('SIGTERM')
  const degraded = await untilVerdict(url, 'degraded')
  assert.match(degraded.reason, new RegExp(`2 of 3 nodes answer.*${cluster.nodes[2]!.address}`))
  assert.deepEqual(
    degraded.members.map(({ reachable }) => reachable),
    [true, true, false],
  )

  await cluster.nodes[1]!.end('SIGTERM')
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
  await using lonely = new ServiceHere('lonely', 0, ['connector', '--port', '0', '--hosts', hosts])
  lonely.start()
  await lonely.says(/connector is listening/, 30_000)
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
 * Wrong records that a node might hold, by group, with right checksums. Reads find another value, and repair
 * finds another write.
 */
const WRONG_STATES: Readonly<Record<string, (state: State) => State>> = {
  read: (state) => ({
    ...state,
    value: Buffer.from(Buffer.from(state.value!).toString().replace('"read"', '"rea_"')),
  }),
  repaired: (state) => {
    const writeId = { proposerId: 4242, sequence: 1 }
    return { ...state, writeId, lineage: [writeId] }
  },
}

test('a node that holds another value, or another write, is an alarm, and nothing of it is overwritten', async () => {
  await using cluster = await LocalCluster.start({ processes: [] })
  const { url } = cluster.connectors[0]!
  const groupIds = Object.keys(WRONG_STATES)
  for (const groupId of groupIds) {
    assert.equal((await create(url, groupId)).status, 201)
    await until('all nodes know that it is chosen', SAID_MS, async () =>
      (await replicasOf(url, groupId)).replicas.every(({ chosen }) => chosen === true),
    )
  }
  const node = cluster.nodes[0]!
  await node.end('SIGTERM')
  const store = new SqliteStore(databasePath(cluster.dataDirectory(0)))
  for (const [groupId, wrong] of Object.entries(WRONG_STATES)) {
    const held = store.load(`group/${groupId}`)
    store.transaction(() => store.save(`group/${groupId}`, held, { ...held, state: wrong(held.state) }))
  }
  store.close()
  node.start()
  await until('the divergences are seen', 10_000, async () => {
    await read(url, 'read')
    return (await clusterStatus(url)).divergences.count >= 4
  })
  const rows = () =>
    cluster.nodes.map((_, index) =>
      groupIds.map((groupId) => rowOf(cluster.dataDirectory(index), `group/${groupId}`)),
    )
  const before = rows()

  for (const groupId of groupIds) {
    const { agree, reason } = await replicasOf(url, groupId)
    assert.deepEqual([agree, reason.startsWith('Divergence')], [false, true], reason)
  }
  const status = await clusterStatus(url)
  assert.equal(status.verdict, 'degraded')
  assert.match(status.reason, /^4 divergences/)
  assert.deepEqual(status.divergences.first.map(({ key }) => key).toSorted(), [
    'group/read',
    'group/read',
    'group/repaired',
    'group/repaired',
  ])
  // Long enough for every pair of nodes to be compared; a read heals a node that seems to lag.
  for (let count = 0; count < 10; count += 1) {
    for (const groupId of groupIds) await read(url, groupId)
    await sleep(50)
  }
  for (const groupId of groupIds) assert.equal((await replicasOf(url, groupId)).agree, false)
  assert.deepEqual(rows(), before)
  const alarms = cluster.connectors[0]!.output.split('\n').filter((line) =>
    /"level":50.*"msg":"divergence/.test(line),
  )
  assert.equal(alarms.length, 4)
  assert.equal((await figuresOf(`${url}/metrics`)).get('cohort_divergence_total'), 4)
})

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
