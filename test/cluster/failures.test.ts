import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateLoad, create, missingOf, read } from './load.ts'
import { LocalCluster, untilReady } from './local-cluster.ts'

for (const victim of [0, 1, 2]) {
  test(`kill -9 of node ${victim + 1} fails no request and loses nothing`, async () => {
    await using cluster = await LocalCluster.start()
    const { url } = cluster.connectors[0]!
    const load = new CreateLoad(url, 'kill', 8)
    await sleep(500)
    await cluster.nodes[victim]!.end('SIGKILL')
    await sleep(1_000)
    cluster.nodes[victim]!.start()
    await sleep(1_000)
    await load.stop()
    assert.deepEqual(load.failed, [])
    assert.ok(load.created.length > 100, `the load went on: ${load.created.length} creates`)
    assert.deepEqual(await missingOf(url, load.created), [])
  })
}

test('a stopped node fails no request, and catches up with none of its answers lost when it goes on', async () => {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const load = new CreateLoad(url, 'stop', 8)
  await sleep(500)
  const before = load.created.length
  cluster.nodes[1]!.signal('SIGSTOP')
  // Longer than a batch may take, so that the stream is given up while the node sleeps.
  await sleep(4_000)
  assert.ok(load.created.length > before + 100, 'the load went on without the stopped node')
  cluster.nodes[1]!.signal('SIGCONT')
  await sleep(1_000)
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
})

test('without a quorum nothing is answered wrongly, and one returning node is enough', async () => {
  await using cluster = await LocalCluster.start({ timeoutSeconds: 0.5 })
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'before')).status, 201)
  await Promise.all([cluster.nodes[0]!.end('SIGKILL'), cluster.nodes[1]!.end('SIGKILL')])
  // The one in flight when the nodes die may be unknown; from then on the connector knows that nothing is
  // applied.
  for (const attempt of [1, 2, 3]) {
    const { status, body, headers } = await create(url, `during-${attempt}`)
    assert.equal(status, 503, JSON.stringify(body))
    assert.equal(body.code, 'unavailable')
    assert.equal(body.outcome, 'not_applied')
    assert.ok(headers['retry-after'])
  }
  assert.equal((await read(url, 'before')).status, 503)
  cluster.nodes[0]!.start()
  await untilReady(cluster.connectors[0]!)
  assert.equal((await read(url, 'before')).status, 200)
  for (const attempt of [1, 2, 3]) assert.equal((await read(url, `during-${attempt}`)).status, 404)
  assert.equal((await create(url, 'during-1')).status, 201)
})

test('kill -9 of everything at once loses nothing that was acknowledged', async () => {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const load = new CreateLoad(url, 'all', 16)
  await sleep(1_000)
  for (const service of cluster.services) service.signal('SIGKILL')
  await load.stopAfterFailure()
  await Promise.all(cluster.services.map((service) => service.exit()))
  assert.ok(load.created.length > 100)
  for (const service of cluster.services) service.start()
  await untilReady(cluster.connectors[0]!)
  assert.deepEqual(await missingOf(url, load.created), [])
})
