import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { test } from 'node:test'
import { clusterStatus, untilStatus } from './cluster-status.ts'
import { cohort } from './command.ts'
import { foreignNode } from './foreign-node.ts'
import { create, read } from './load.ts'
import { untilReady } from './local-cluster.ts'
import { commonCluster } from './shared-cluster.ts'

/**
 * The longest pause between two attempts to connect to a node, with the time of a status request.
 */
const USED_AGAIN_MS = 2_000

const aCluster = commonCluster

test('a second process on a data directory stops at once and says why', async () => {
  const cluster = await aCluster()
  const second = await cohort('node', '--port', '0', '--data-dir', cluster.dataDirectory(0))
  assert.notEqual(second.exitCode, 0)
  assert.match(second.output, /data directory/)
  assert.match(second.output, /in use|another process/)
  assert.equal((await create(cluster.connectors[0]!.url, 'still-there')).status, 201)
})

test('a node that returns is used again within two seconds, without a restart of anything', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  const isUsed = ({ members }: Awaited<ReturnType<typeof clusterStatus>>) =>
    members.every(({ reachable }) => reachable)
  const node = cluster.nodes[0]!
  await node.end('SIGTERM')
  await untilStatus(url, 'the loss is noticed', (status) => !isUsed(status), 5_000)
  await node.restart()
  await untilStatus(url, 'the node is used again', isUsed, USED_AGAIN_MS)
})

test("a node with a foreign cluster's data is not used, and the others go on", async () => {
  const cluster = await aCluster()
  await using foreign = await foreignNode('theirs')
  const [connector] = cluster.connectors as [(typeof cluster.connectors)[0]]
  const { url } = connector
  assert.equal((await create(url, 'ours')).status, 201)
  const node = cluster.nodes[2]!
  await Promise.all([node.end('SIGTERM'), foreign.nodes[0]!.end('SIGTERM')])
  await rename(cluster.dataDirectory(2), `${cluster.dataDirectory(2)}.own`)
  await rename(foreign.dataDirectory(0), cluster.dataDirectory(2))
  node.start()
  await connector.says(/belongs to another cluster/, 30_000)
  assert.equal((await create(url, 'with-two')).status, 201)
  assert.equal((await read(url, 'theirs')).status, 404)
  const reachable = (await clusterStatus(url)).members.map((member) => member.reachable)
  assert.deepEqual(reachable, [true, true, false])
  // A connector that starts now is not misled by it either.
  await connector.end('SIGTERM')
  connector.start()
  await untilReady(connector)
  assert.equal((await read(url, 'with-two')).status, 200)
  await node.end('SIGTERM')
  await rename(cluster.dataDirectory(2), `${cluster.dataDirectory(2)}.foreign`)
  await rename(`${cluster.dataDirectory(2)}.own`, cluster.dataDirectory(2))
})
