/** Disks that are lost, and that come back: with real processes, under load. */
import assert from 'node:assert/strict'
import { rename, rm } from 'node:fs/promises'
import { test } from 'node:test'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { clusterStatus, untilEpoch, untilStatus, untilVerdict } from './cluster-status.ts'
import { CreateLoad, create, missingOf, read } from './load.ts'
import { contentsOf, untilEqual } from './node-contents.ts'
import { sharedCluster } from './shared-cluster.ts'
import { until } from './waiting.ts'

/**
 * The time that the replacement of a member may take with few groups on a busy machine: looks, two epochs,
 * and the copy.
 */
const REPLACED_MS = 30_000
/** A connector looks at an unavailable cluster several times a second. */
const SEEN_MS = 30_000

// The last node is killed.
const aCluster = sharedCluster({ connectors: 2, replaceAfterSeconds: 0.5, processes: ['node3'] })

test('a lost disk: the empty node replaces the member, with all groups, and no client notices', async () => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  const [url, other] = urls as [string, string]
  const before = await clusterStatus(url)
  await using a = new CreateLoad(url, 'a', 4)
  await using b = new CreateLoad(other, 'b', 2)
  const load = [a, b]
  await a.untilMore(80)
  const lost = cluster.nodes[2]!
  await lost.end('SIGKILL')
  await rm(cluster.dataDirectory(2), { recursive: true })
  lost.start()
  // One epoch with the change under way, and one without it.
  const after = await untilEpoch(urls, before.epoch! + 2, REPLACED_MS)
  await a.untilMore(30)
  await Promise.all(load.map((one) => one.stop()))
  for (const { failed } of load) assert.deepEqual(failed, [])

  const idsOf = (status: ClusterStatus) => status.members.map(({ nodeId }) => nodeId)
  assert.deepEqual(idsOf(after).slice(0, 2), idsOf(before).slice(0, 2))
  assert.notEqual(idsOf(after)[2], idsOf(before)[2])
  assert.equal(after.change, null)
  const created = load.flatMap((one) => one.created)
  assert.deepEqual(await missingOf(other, created), [])
  await untilEqual(cluster.nodes)
  const copied = await contentsOf(lost)
  assert.deepEqual(
    created.filter((groupId) => !copied.has(`group/${groupId}`)),
    [],
  )
  // With the new node as a member, another one may fail.
  await cluster.nodes[0]!.end('SIGTERM')
  assert.equal((await create(url, 'with-the-new-one')).status, 201)
  assert.deepEqual(await missingOf(url, created.slice(0, 200)), [])
})

test('a node whose disk comes back after it was replaced is told so, keeps its data, and stops', async () => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  const [url] = urls as [string]
  const epoch = (await clusterStatus(url)).epoch! + 2
  const node = cluster.nodes[1]!
  const directory = cluster.dataDirectory(1)
  await node.end('SIGTERM')
  await rename(directory, `${directory}.old`)
  node.start()
  await untilEpoch(urls, epoch, REPLACED_MS)
  await node.end('SIGTERM')
  await rename(directory, `${directory}.new`)
  await rename(`${directory}.old`, directory)
  const seen = node.output.length
  node.start()
  assert.notEqual(await node.exit(SEEN_MS), 0)
  assert.match(
    node.output.slice(seen),
    /is no longer a member of the cluster .* its data are kept as they are.*empty data directory/,
  )
  // The new node is still the member.
  await rename(directory, `${directory}.old`)
  await rename(`${directory}.new`, directory)
  node.start()
  assert.equal((await untilVerdict(url, 'healthy')).epoch, epoch)
})

test('two lost disks of three: an error is logged, nothing is overwritten, and one disk that comes back heals the cluster', async () => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  const [url] = urls as [string]
  const connector = cluster.connectors[0]!
  const epoch = (await clusterStatus(url)).epoch! + 2
  for (const groupId of ['x', 'y']) assert.equal((await create(url, groupId)).status, 201)
  // Both at once: the first would be replaced if there were time.
  await Promise.all([1, 2].map((index) => cluster.nodes[index]!.end('SIGTERM')))
  for (const index of [1, 2]) {
    await rename(cluster.dataDirectory(index), `${cluster.dataDirectory(index)}.lost`)
    cluster.nodes[index]!.start()
  }
  const isRefused = ({ verdict, reason }: ClusterStatus) =>
    verdict === 'unavailable' && /2 of 3 members have lost their disks .*backup/.test(reason)
  await untilStatus(url, 'it is refused', isRefused, SEEN_MS)
  assert.match(connector.output, /"level":50.*members have lost their disks/)
  assert.equal((await create(url, 'z')).status, 503)

  // A connector that starts now reports it too, and forms no cluster of the empty nodes.
  await connector.end('SIGTERM')
  connector.start()
  await untilStatus(url, 'it is refused again', isRefused, SEEN_MS)
  assert.equal((await contentsOf(cluster.nodes[0]!)).has('group/x'), true)
  for (const index of [1, 2]) assert.equal((await contentsOf(cluster.nodes[index]!)).size, 0)

  const back = cluster.nodes[1]!
  await back.end('SIGTERM')
  await rename(cluster.dataDirectory(1), `${cluster.dataDirectory(1)}.empty`)
  await rename(`${cluster.dataDirectory(1)}.lost`, cluster.dataDirectory(1))
  back.start()
  await until('it serves again', SEEN_MS, async () => (await read(url, 'x')).status === 200)
  await untilEpoch(urls, epoch, REPLACED_MS)
  await untilVerdict(url, 'healthy')
})
