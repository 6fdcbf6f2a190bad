/** Tombstones are removed from every disk, and no deleted group comes back. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { untilStatus } from './cluster-status.ts'
import { groupRowCount } from './disk-contents.ts'
import { call, create, forEach, type Reply, read, remove } from './load.ts'
import type { LocalCluster } from './local-cluster.ts'
import { sharedCluster } from './shared-cluster.ts'
import { until } from './waiting.ts'

/** The shortest grace time is ten timeouts. */
const TIMEOUT_SECONDS = 0.2
const GRACE_SECONDS = 2
/** Two grace times and the walks between them, on a busy machine. */
const REMOVAL_MS = 25_000
/** How long a busy machine may answer nothing within the timeout. */
const INSISTED_MS = 30_000

const aCluster = sharedCluster({
  connectors: 2,
  timeoutSeconds: TIMEOUT_SECONDS,
  graceSeconds: GRACE_SECONDS,
  // It is suspended.
  processes: ['connector1'],
})

/** The records of groups on the disk of each node, whatever they are. */
const rowCounts = (cluster: LocalCluster) =>
  cluster.nodes.map((_, index) => groupRowCount(cluster.dataDirectory(index)))

async function untilRemoved(cluster: LocalCluster, left: number): Promise<void> {
  await until(
    `every node holds ${left} groups and nothing else`,
    REMOVAL_MS,
    () => rowCounts(cluster).every((count) => count === left),
    () => `rows: ${rowCounts(cluster).join(', ')}`,
  )
}

/**
 * With so short a timeout a busy machine may answer 503 or 504. Then the request is repeated, until it is
 * answered with the first of these statuses, or with another one of them: an attempt may have been done
 * without an answer.
 */
async function insist(request: () => Promise<Reply>, statuses: readonly number[]): Promise<Reply> {
  let isRepeated = false
  let reply: Reply
  await until(`the answer is ${statuses[0]}`, INSISTED_MS, async () => {
    reply = await request()
    const { status, body } = reply
    if (status === 503 || status === 504) {
      isRepeated = true
      return false
    }
    assert.ok((isRepeated ? statuses : statuses.slice(0, 1)).includes(status), JSON.stringify(body))
    return true
  })
  return reply!
}

function readAll(url: string, groupIds: readonly string[]): Promise<Reply[]> {
  return Promise.all(groupIds.map((groupId) => insist(() => read(url, groupId), [200])))
}

function createAll(url: string, groupIds: readonly string[]): Promise<void> {
  return forEach(groupIds, (groupId) => insist(() => create(url, groupId), [201, 409]))
}

function removeAll(url: string, groupIds: readonly string[]): Promise<void> {
  return forEach(groupIds, (groupId) => insist(() => remove(url, groupId), [200, 404]))
}

const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

test('a node that was away while groups were deleted brings none of them back, and then they are removed too', async () => {
  const cluster = await aCluster()
  const { url } = cluster.connectors[0]!
  const groupIds = named('away', 30)
  await createAll(url, groupIds)
  await cluster.nodes[2]!.end('SIGTERM')
  await removeAll(url, groupIds)
  // With all nodes they would be gone after two grace times.
  await sleep(2.5 * GRACE_SECONDS * 1_000)
  assert.deepEqual(rowCounts(cluster).slice(0, 2), [30, 30], 'nothing goes without the third node')
  await cluster.nodes[2]!.restart()
  let isOver = false
  const reading = (async () => {
    while (!isOver) {
      await forEach(groupIds, async (groupId) => {
        assert.notEqual((await read(url, groupId)).status, 200, `${groupId} is back`)
      })
      await sleep(200)
    }
  })()
  await untilRemoved(cluster, 0).finally(() => {
    isOver = true
  })
  await reading
})

test('a connector that was stopped during the removal does no harm when it goes on', async () => {
  const cluster = await aCluster()
  const [sleeper, other] = cluster.connectors
  const groupIds = named('sleep', 50)
  await createAll(sleeper!.url, groupIds)
  // It is stopped with changes under way, and with a view of every group.
  const changes = groupIds.map((groupId) =>
    call('PATCH', `${sleeper!.url}/v1/group/${groupId}`, { description: 'from the past' }, 2 * REMOVAL_MS),
  )
  await sleep(5)
  sleeper!.signal('SIGSTOP')
  await removeAll(other!.url, groupIds)
  await untilRemoved(cluster, 0)
  await createAll(other!.url, groupIds)
  const before = await readAll(other!.url, groupIds)
  sleeper!.signal('SIGCONT')
  // It uses its old views: it creates groups that were created again meanwhile.
  await Promise.all(groupIds.map((groupId) => insist(() => create(sleeper!.url, groupId), [409])))
  await Promise.all(changes)
  const after = await readAll(other!.url, groupIds)
  // A change that it had not read yet when it was stopped may be made now, to the current group.
  const birthOf = ({ body }: Reply) => `${body.groupId} ${body.createdAt}`
  assert.deepEqual(after.map(birthOf), before.map(birthOf))
})

test('150 groups that were created and deleted leave nothing on any node, and the other groups stay', async () => {
  const cluster = await aCluster()
  const [first, second] = cluster.connectors
  const beside = rowCounts(cluster)[0]! + 1
  const groupIds = named('short', 150)
  await createAll(first!.url, groupIds)
  await createAll(second!.url, ['stays'])
  await removeAll(second!.url, groupIds)
  // A round on a key that was never written leaves nothing either.
  await forEach(named('never', 10), (groupId) => insist(() => remove(first!.url, groupId), [404]))
  for (const count of rowCounts(cluster)) assert.ok(count > 150, `${count} rows`)
  await untilRemoved(cluster, beside)
  // The groups, and the membership.
  const isSaid = ({ members }: ClusterStatus) =>
    members.every(
      ({ records, tombstones, stubs }) => records === beside + 1 && tombstones === 0 && stubs === 0,
    )
  await untilStatus(first!.url, 'the nodes have said so', isSaid, 5_000)
  await insist(() => read(first!.url, 'stays'), [200])
  // Both connectors have views of keys that are fresh again.
  for (const { url } of [first!, second!]) {
    await createAll(url, groupIds.slice(0, 50))
    await removeAll(url, groupIds.slice(0, 50))
  }
})
