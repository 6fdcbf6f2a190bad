import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { test } from 'node:test'
import { call, create, read } from './load.ts'
import { LocalCluster, Service, until, untilReady } from './local-cluster.ts'

test('a second process on a data directory stops at once and says why', async () => {
  await using cluster = await LocalCluster.start()
  const second = new Service('second', 0, ['node', '--port', '0', '--data-dir', cluster.dataDirectory(0)])
  second.start()
  const exitCode = await second.exit()
  assert.notEqual(exitCode, 0)
  assert.match(second.output, /data directory/)
  assert.match(second.output, /in use|another process/)
  assert.equal((await create(cluster.connectors[0]!.url, 'still-there')).status, 201)
})

test("a node with a foreign cluster's data is not used, and the others go on", async () => {
  await using cluster = await LocalCluster.start()
  await using foreign = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'ours')).status, 201)
  assert.equal((await create(foreign.connectors[0]!.url, 'theirs')).status, 201)
  await Promise.all([cluster.nodes[2]!.end('SIGTERM'), foreign.nodes[2]!.end('SIGTERM')])
  await rename(cluster.dataDirectory(2), `${cluster.dataDirectory(2)}.own`)
  await rename(foreign.dataDirectory(2), cluster.dataDirectory(2))
  cluster.nodes[2]!.start()
  await until('the connector says so', 10_000, () =>
    /belongs to another cluster/.test(cluster.connectors[0]!.output),
  )
  assert.equal((await create(url, 'with-two')).status, 201)
  assert.equal((await read(url, 'theirs')).status, 404)
  const { body } = await call('GET', `${url}/v1/cluster`)
  assert.deepEqual(
    (body.members as { reachable: boolean }[]).map(({ reachable }) => reachable),
    [true, true, false],
  )
  // A connector that starts anew is not led astray by it either.
  await cluster.connectors[0]!.end('SIGTERM')
  cluster.connectors[0]!.start()
  await untilReady(cluster.connectors[0]!)
  assert.equal((await read(url, 'with-two')).status, 200)
})

test('a node that returns is used again within two seconds, without a restart of anything', async () => {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const isUsed = async () => {
    const { body } = await call('GET', `${url}/v1/cluster`)
    return (body.members as { reachable: boolean }[]).every(({ reachable }) => reachable)
  }
  const node = cluster.nodes[0]!
  await node.end('SIGKILL')
  await until('the loss is noticed', 5_000, async () => !(await isUsed()))
  const seen = node.output.length
  node.start()
  await until('the node listens', 20_000, () => node.output.slice(seen).includes('listening'))
  await until('it is used', 2_000, isUsed)
})
