import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterStatus, replicasOf, untilVerdict } from './cluster-status.ts'
import { CreateLoad, create, missingOf, read } from './load.ts'
import { clusterOfProcesses } from './shared-cluster.ts'

const aCluster = clusterOfProcesses

for (const victim of [0, 1, 2]) {
  test(`kill -9 of node ${victim + 1} fails no request and loses nothing`, async () => {
    const cluster = await aCluster()
    const { url } = cluster.connectors[0]!
    await using load = new CreateLoad(url, `kill-${victim}`, 8)
    await load.untilMore(50)
    await cluster.nodes[victim]!.end('SIGKILL')
    await load.untilMore(100)
    await cluster.nodes[victim]!.restart()
    await untilVerdict(url, 'healthy')
    await load.untilMore(50)
    await load.stop()
    assert.deepEqual(load.failed, [])
    assert.deepEqual(await missingOf(url, load.created), [])
  })
}

test('a stopped node fails no request, and catches up with none of its answers lost when it goes on', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  await using load = new CreateLoad(url, 'stop', 8)
  await load.untilMore(50)
  cluster.nodes[1]!.signal('SIGSTOP')
  // Its stream is given up while the node is stopped.
  await untilVerdict(url, 'degraded')
  await load.untilMore(100)
  cluster.nodes[1]!.signal('SIGCONT')
  await untilVerdict(url, 'healthy')
  await load.untilMore(50)
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

test('without a quorum nothing is answered wrongly, and one returning node is enough', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'before')).status, 201)
  await Promise.all([cluster.nodes[0]!.end('SIGKILL'), cluster.nodes[1]!.end('SIGKILL')])
  // A create in flight when the nodes die may be unknown; from then on the connector knows that nothing is
  // applied.
  const attempts = [1, 2, 3].map((attempt) => `during-${attempt}`)
  const [reading, ...replies] = await Promise.all([
    read(url, 'before'),
    ...attempts.map((groupId) => create(url, groupId)),
  ])
  assert.equal(reading.status, 503)
  for (const { status, body, headers } of replies) {
    assert.equal(status, 503, JSON.stringify(body))
    assert.equal(body.code, 'unavailable')
    assert.equal(body.outcome, 'not_applied')
    assert.ok(headers['retry-after'])
  }
  await cluster.nodes[0]!.restart()
  await untilVerdict(url, 'degraded')
  assert.equal((await read(url, 'before')).status, 200)
  for (const groupId of attempts) assert.equal((await read(url, groupId)).status, 404)
  assert.equal((await create(url, 'during-1')).status, 201)
})
