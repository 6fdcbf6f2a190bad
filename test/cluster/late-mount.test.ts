/**
 * Data directories that are mounted late, or not at all: no member is replaced, and no new cluster is formed.
 */
import assert from 'node:assert/strict'
import { rename } from 'node:fs/promises'
import { test } from 'node:test'
import { clusterStatus, untilStatus, untilVerdict } from './cluster-status.ts'
import { leaveNothing } from './leave-nothing.ts'
import { create, read } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { contentsOf } from './node-contents.ts'
import { ServiceHere } from './service-here.ts'
import { until } from './waiting.ts'

/** Longer than the whole test may take: a replacement would fail it. */
const REPLACE_AFTER_SECONDS = 120
/** A node that is missing is looked for several times a second. */
const SEEN_MS = 30_000
const READY_MS = 20_000

const aCluster = () => LocalCluster.start({ replaceAfterSeconds: REPLACE_AFTER_SECONDS, processes: [] })

leaveNothing()

test('a data directory that is mounted late: the status counts down, and the member is back', async () => {
  await using cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  const before = await clusterStatus(url)
  assert.equal(before.replacement, null)
  assert.equal((await create(url, 'kept')).status, 201)
  const node = cluster.nodes[2]!
  const directory = cluster.dataDirectory(2)
  await node.end('SIGTERM')
  await rename(directory, `${directory}.unmounted`)
  await node.restart()
  const waiting = await untilStatus(url, 'a replacement is shown', (is) => is.replacement !== null, SEEN_MS)
  const { nodeId, address, newNodeId, seconds } = waiting.replacement!
  assert.deepEqual([nodeId, address], [before.members[2]!.nodeId, node.address])
  assert.notEqual(newNodeId, nodeId)
  assert.ok(seconds > REPLACE_AFTER_SECONDS / 2 && seconds <= REPLACE_AFTER_SECONDS)
  assert.match(waiting.reason, /the empty node at .* takes the place of .* in \d+ seconds, unless/)
  await untilStatus(
    url,
    'it counts down',
    ({ replacement }) => replacement !== null && replacement.seconds < seconds,
    SEEN_MS,
  )

  await node.end('SIGTERM')
  await rename(directory, `${directory}.mountpoint`)
  await rename(`${directory}.unmounted`, directory)
  await node.restart()
  const after = await untilVerdict(url, 'healthy')
  assert.equal(after.epoch, before.epoch)
  assert.deepEqual(
    after.members.map(({ nodeId: id }) => id),
    before.members.map(({ nodeId: id }) => id),
  )
  assert.equal(after.replacement, null)
})

test('no data directory is mounted: with CLUSTER_ID no new cluster is formed, and the old one is back with its data', async () => {
  await using cluster = await aCluster()
  const connector = cluster.connectors[0]!
  const { clusterId } = await clusterStatus(connector.url)
  assert.equal((await create(connector.url, 'still-there')).status, 201)
  await Promise.all(cluster.services.map((service) => service.end('SIGTERM')))
  const directories = cluster.nodes.map((_, index) => cluster.dataDirectory(index))
  for (const directory of directories) await rename(directory, `${directory}.unmounted`)
  await Promise.all(cluster.nodes.map((node) => node.restart()))
  const hosts = cluster.nodes.map(({ address }) => address).join(',')
  const flags = ['--port', String(connector.port), '--hosts', hosts, '--cluster-id', clusterId!]
  await using pinned = new ServiceHere('pinned', connector.port, ['connector', ...flags])
  await pinned.restart()
  await untilStatus(
    pinned.url,
    'it says what is wrong',
    ({ verdict, reason }) =>
      verdict === 'unavailable' && /CLUSTER_ID is .* are empty, and no new cluster is started/.test(reason),
    SEEN_MS,
  )
  for (const node of cluster.nodes) assert.equal((await contentsOf(node)).size, 0)

  await Promise.all(cluster.nodes.map((node) => node.end('SIGTERM')))
  for (const directory of directories) {
    await rename(directory, `${directory}.empty`)
    await rename(`${directory}.unmounted`, directory)
  }
  await Promise.all(cluster.nodes.map((node) => node.restart()))
  await until(
    'it serves what was there',
    READY_MS,
    async () => (await read(pinned.url, 'still-there')).status === 200,
  )
  assert.equal((await clusterStatus(pinned.url)).clusterId, clusterId)
  await pinned.end('SIGTERM')
})
