/** A disk that returns other bytes than were written: with real processes and real files. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterStatus, untilStatus } from './cluster-status.ts'
import { spoilColumn, spoilValue } from './disk-contents.ts'
import { leaveNothing } from './leave-nothing.ts'
import { call, create, read, remove } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { untilEqual } from './node-contents.ts'
import { commonCluster } from './shared-cluster.ts'

leaveNothing()

/** A scrub of two seconds, some looks of the connector, and as many rounds, on a busy machine. */
const HEALED_MS = 30_000

const GROUPS = 60

/** What one disk does to a record. */
const SPOILING: readonly ((dataDirectory: string, groupId: string) => void)[] = [
  (directory, groupId) => spoilValue(directory, groupId),
  (directory, groupId) => spoilColumn(directory, groupId, 'promised_round = promised_round + 1'),
  (directory, groupId) => spoilColumn(directory, groupId, 'accepted_round = accepted_round + 7'),
  (directory, groupId) => spoilColumn(directory, groupId, 'write_sequence = write_sequence + 1'),
  (directory, groupId) => spoilColumn(directory, groupId, 'value_bytes = NULL'),
]

test('what a disk spoils is never served and heals, one disk after the other, and no process ends', async () => {
  await using cluster = await LocalCluster.start({ scrubSeconds: 2, processes: [] })
  const { url } = cluster.connectors[0]!
  const groupIds = Array.from({ length: GROUPS }, (_, index) => `group-${index}`)
  for (const groupId of groupIds) assert.equal((await create(url, groupId)).status, 201)
  await untilEqual(cluster.nodes)
  const before = await Promise.all(groupIds.map((groupId) => read(url, groupId)))

  for (const [index, node] of cluster.nodes.entries()) {
    const directory = cluster.dataDirectory(index)
    await node.end('SIGTERM')
    const spoiled = groupIds.slice(0, GROUPS / 2)
    for (const [turn, groupId] of spoiled.entries()) SPOILING[turn % SPOILING.length]!(directory, groupId)
    // This flag makes nothing chosen, and takes no vote away.
    for (const groupId of groupIds.slice(GROUPS / 2)) spoilColumn(directory, groupId, 'chosen = 1')
    node.start()
    for (const [turn, groupId] of groupIds.entries()) {
      const { status, body, headers } = await read(url, groupId)
      const { body: written, headers: then } = before[turn]!
      assert.deepEqual([status, body, headers.etag], [200, written, then.etag], groupId)
    }
    const { members } = await untilStatus(
      url,
      `node ${index + 1} has healed ${spoiled.length} records`,
      ({ verdict, members: all }) => verdict === 'healthy' && all[index]!.healed === spoiled.length,
      HEALED_MS,
    )
    assert.equal(members[index]!.damaged, 0)
    await untilEqual(cluster.nodes)
    assert.match(node.output, /the disk has spoiled a record/)
  }
  for (const [turn, groupId] of groupIds.entries())
    assert.deepEqual((await read(url, groupId)).body, before[turn]!.body)
  assert.equal((await clusterStatus(url)).divergences.count, 0)
  for (const { name, isRunning, exitCodes } of cluster.services) {
    const ends = cluster.nodes.some((node) => node.name === name) ? [0] : []
    assert.deepEqual([name, isRunning, exitCodes], [name, true, ends], 'nothing has ended by itself')
  }
})

test('a damaged record is shown as such, and writes of its group go on', async () => {
  // Its nodes read all records once a day: nobody reads the record but the questions of this test.
  const cluster = await commonCluster()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'shown')).status, 201)
  await untilEqual(cluster.nodes)
  const [node] = cluster.nodes
  await node!.end('SIGTERM')
  spoilValue(cluster.dataDirectory(0), 'shown')
  node!.start()
  await untilStatus(url, 'the node is back', ({ members }) => members[0]!.reachable)
  const { body } = await call('GET', `${url}/v1/group/shown/replicas`)
  const shown = body as unknown as { replicas: { holds: string }[]; reason: string }
  assert.deepEqual(
    shown.replicas.map(({ holds }) => holds),
    ['damaged', 'group', 'group'],
  )
  assert.match(shown.reason, /1 node holds a damaged record, which has no vote until it has healed/)
  assert.equal((await remove(url, 'shown')).status, 200)
  assert.equal((await read(url, 'shown')).status, 404)
})
