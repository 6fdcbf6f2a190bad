import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterStatus, replicasOf, untilVerdict } from './cluster-status.ts'
import { CreateLoad, create, missingOf } from './load.ts'
import { clusterOfProcesses } from './shared-cluster.ts'

const aCluster = clusterOfProcesses

for (const victim of [0, 1, 2]) {
  test(`kill -9 of node ${victim + 1} fails no request and loses nothing`, async () => {
    const cluster = await aCluster()
    const { url } = cluster.connectors[0]!
    await using load = new CreateLoad(url, `kill-${victim}`, 8)
    await load.untilMore(30)
    await cluster.nodes[victim]!.end('SIGKILL')
    await load.untilMore(60)
    await cluster.nodes[victim]!.restart()
    await untilVerdict(url, 'healthy')
    await load.untilMore(30)
    await load.stop()
    assert.deepEqual(load.failed, [])
    assert.deepEqual(await missingOf(url, load.created), [])
  })
}

test('a stopped node fails no request, and catches up with none of its answers lost when it goes on', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  await using load = new CreateLoad(url, 'stop', 8)
  await load.untilMore(30)
  cluster.nodes[1]!.signal('SIGSTOP')
  // Its stream is given up while the node is stopped.
  await untilVerdict(url, 'degraded')
  await load.untilMore(60)
  cluster.nodes[1]!.signal('SIGCONT')
  await untilVerdict(url, 'healthy')
  await load.untilMore(30)
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
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
