/** Disks that are lost, and that come back: with real processes, under load. */
import assert from 'node:assert/strict'
import { rename, rm } from 'node:fs/promises'
import { test } from 'node:test'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { CreateLoad, call, create, missingOf, read } from './load.ts'
import { LocalCluster, until, untilReady } from './local-cluster.ts'
import { contentsOf, differences } from './node-contents.ts'

async function statusOf(url: string): Promise<ClusterStatus> {
  const { body } = await call('GET', `${url}/v1/cluster`)
  return body as unknown as ClusterStatus
}

/** Waits until the membership is in this epoch, on every connector. */
async function untilEpoch(cluster: LocalCluster, epoch: number, timeoutMs = 30_000): Promise<void> {
  await until(
    `epoch ${epoch}`,
    timeoutMs,
    async () => {
      const seen = await Promise.all(cluster.connectors.map(({ url }) => statusOf(url)))
      return seen.every((status) => status.epoch === epoch)
    },
    () => cluster.services.map(({ name, output }) => `--- ${name}\n${output}`).join('\n'),
  )
}

test('a lost disk: the empty node becomes a member in its place, with everything, and no client notices', async () => {
  await using cluster = await LocalCluster.start({ connectors: 2 })
  const { url } = cluster.connectors[0]!
  const other = cluster.connectors[1]!.url
  const before = await statusOf(url)
  await using a = new CreateLoad(url, 'a', 8)
  await using b = new CreateLoad(other, 'b', 4)
  const load = [a, b]
  await until('there is something to copy', 60_000, () => a.created.length > 1_000)
  const lost = cluster.nodes[2]!
  await lost.end('SIGKILL')
  await rm(cluster.dataDirectory(2), { recursive: true })
  lost.start()
  await untilEpoch(cluster, 3)
  const groupsAtEnd = a.created.length
  await until('creates go on', 10_000, () => a.created.length > groupsAtEnd + 200)
  await Promise.all(load.map((one) => one.stop()))
  for (const { failed } of load) assert.deepEqual(failed, [])

  const after = await statusOf(url)
  const idsOf = (status: ClusterStatus) => status.members.map(({ nodeId }) => nodeId)
  assert.deepEqual(idsOf(after).slice(0, 2), idsOf(before).slice(0, 2))
  assert.notEqual(idsOf(after)[2], idsOf(before)[2])
  assert.equal(after.change, null)
  const created = load.flatMap((one) => one.created)
  assert.deepEqual(await missingOf(other, created), [])
  await until('all nodes hold the same', 30_000, async () => (await differences(cluster.nodes)).length === 0)
  const copied = await contentsOf(lost)
  assert.deepEqual(
    created.filter((groupId) => !copied.has(`group/${groupId}`)),
    [],
  )
  // With the new node in its place, another one may fail.
  await cluster.nodes[0]!.end('SIGKILL')
  assert.equal((await create(url, 'with-the-new-one')).status, 201)
  assert.deepEqual(await missingOf(url, created.slice(0, 200)), [])
})

test('a disk that comes back after its node was replaced is told so, keeps its data, and stops', async () => {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'a')).status, 201)
  const node = cluster.nodes[1]!
  const directory = cluster.dataDirectory(1)
  await node.end('SIGTERM')
  await rename(directory, `${directory}.old`)
  node.start()
  await untilEpoch(cluster, 3)
  await node.end('SIGTERM')
  await rename(directory, `${directory}.new`)
  await rename(`${directory}.old`, directory)
  const seen = node.output.length
  node.start()
  assert.notEqual(await node.exit(), 0)
  assert.match(
    node.output.slice(seen),
    /is no longer a member of the cluster .* its data are kept as they are.*empty data directory/,
  )
  // What replaced it is still the member.
  await rename(directory, `${directory}.old`)
  await rename(`${directory}.new`, directory)
  node.start()
  await until('all nodes are back', 20_000, async () => (await statusOf(url)).verdict === 'healthy')
  assert.equal((await statusOf(url)).epoch, 3)
})

test('two disks of three: refused loudly, nothing is overwritten, and one that comes back heals it', async () => {
  await using cluster = await LocalCluster.start({ timeoutSeconds: 1 })
  const [connector] = cluster.connectors as [(typeof cluster.connectors)[0]]
  const { url } = connector
  for (const groupId of ['a', 'b']) assert.equal((await create(url, groupId)).status, 201)
  // Both at once: the first would be replaced if there were time.
  await Promise.all([1, 2].map((index) => cluster.nodes[index]!.end('SIGTERM')))
  for (const index of [1, 2]) {
    await rename(cluster.dataDirectory(index), `${cluster.dataDirectory(index)}.lost`)
    cluster.nodes[index]!.start()
  }
  const isRefused = async () => {
    const { verdict, reason } = await statusOf(url)
    return verdict === 'unavailable' && /2 of 3 members have lost their disks .*backup/.test(reason)
  }
  await until('it is refused', 20_000, isRefused, () => connector.output)
  assert.match(connector.output, /"level":50.*members have lost their disks/)
  assert.equal((await create(url, 'c')).status, 503)

  // A connector that starts now sees it too, and makes no cluster of the empty ones.
  await connector.end('SIGTERM')
  connector.start()
  await until('it is refused again', 20_000, isRefused, () => connector.output)
  assert.equal((await contentsOf(cluster.nodes[0]!)).has('group/a'), true)
  for (const index of [1, 2]) assert.equal((await contentsOf(cluster.nodes[index]!)).size, 0)

  const [, back] = cluster.nodes
  await back!.end('SIGTERM')
  await rename(cluster.dataDirectory(1), `${cluster.dataDirectory(1)}.empty`)
  await rename(`${cluster.dataDirectory(1)}.lost`, cluster.dataDirectory(1))
  back!.start()
  await untilReady(connector)
  assert.equal((await read(url, 'a')).status, 200)
  await untilEpoch(cluster, 3)
  await until('it is whole again', 20_000, async () => (await statusOf(url)).verdict === 'healthy')
})
