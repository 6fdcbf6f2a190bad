/** What is left of deleted groups is removed from every disk, and nothing comes back by that. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterStatus } from '../../src/api/status-schemas.ts'
import { call, create, read, remove } from './load.ts'
import { LocalCluster, until } from './local-cluster.ts'

const TIMEOUT_SECONDS = 0.5
const GRACE_SECONDS = 5
/** Two grace times, the walks between them, and a busy machine. */
const REMOVAL_MS = 60_000

/** The rows of groups on a node's disk, whatever they are. */
function rowsOf(cluster: LocalCluster, node: number): number {
  const db = new DatabaseSync(join(cluster.dataDirectory(node), 'node.db'), { readOnly: true })
  try {
    return Number(db.prepare("SELECT COUNT(*) AS count FROM record WHERE key LIKE 'group/%'").get()?.count)
  } finally {
    db.close()
  }
}

async function untilRemoved(cluster: LocalCluster, left = 0): Promise<void> {
  const rows = () => cluster.nodes.map((_, index) => rowsOf(cluster, index))
  await until(
    `every node holds ${left} groups and nothing else`,
    REMOVAL_MS,
    async () => {
      await sleep(200)
      return rows().every((count) => count === left)
    },
    () => `rows: ${rows().join(', ')}`,
  )
}

/** Does something with every one of `groupIds`, some at a time. */
async function forAll(groupIds: readonly string[], task: (groupId: string) => Promise<void>): Promise<void> {
  const queue = [...groupIds]
  const loops = Array.from({ length: 16 }, async () => {
    for (let groupId = queue.pop(); groupId !== undefined; groupId = queue.pop()) await task(groupId)
  })
  await Promise.all(loops)
}

function createAll(url: string, groupIds: readonly string[]): Promise<void> {
  return forAll(groupIds, async (groupId) => {
    const { status, body } = await create(url, groupId)
    assert.equal(status, 201, JSON.stringify(body))
  })
}

function removeAll(url: string, groupIds: readonly string[]): Promise<void> {
  return forAll(groupIds, async (groupId) => {
    const { status, body } = await remove(url, groupId)
    assert.equal(status, 200, JSON.stringify(body))
  })
}

const named = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${prefix}-${index}`)

async function countsOf(url: string): Promise<(readonly (number | null)[])[]> {
  const { body } = await call('GET', `${url}/v1/cluster`)
  const { members } = body as unknown as ClusterStatus
  return members.map(({ records, tombstones, stubs }) => [records, tombstones, stubs])
}

test('2,000 groups that were created and deleted leave nothing on any node, and those beside them stay', async () => {
  await using cluster = await LocalCluster.start({
    connectors: 2,
    timeoutSeconds: TIMEOUT_SECONDS,
    graceSeconds: GRACE_SECONDS,
  })
  const [first, second] = cluster.connectors
  const groupIds = named('short', 2_000)
  await createAll(first!.url, groupIds)
  await createAll(second!.url, ['stays'])
  await removeAll(second!.url, groupIds)
  // A round on a key that nobody ever wrote leaves nothing either.
  for (const groupId of named('never', 20)) assert.equal((await remove(first!.url, groupId)).status, 404)
  for (const index of [0, 1, 2]) assert.equal(rowsOf(cluster, index) > 2_000, true)
  await untilRemoved(cluster, 1)
  // The group, and the membership.
  await until('the nodes have said so', 5_000, async () =>
    (await countsOf(first!.url)).every((counts) => counts.join(' ') === '2 0 0'),
  )
  assert.equal((await read(first!.url, 'stays')).status, 200)
  // Both connectors have views of keys that are fresh again.
  for (const { url } of [first!, second!]) {
    await createAll(url, groupIds.slice(0, 100))
    await removeAll(url, groupIds.slice(0, 100))
  }
})

test('a node that was away while groups were deleted brings none of them back, and then they are removed too', async () => {
  await using cluster = await LocalCluster.start({
    timeoutSeconds: TIMEOUT_SECONDS,
    graceSeconds: GRACE_SECONDS,
  })
  const { url } = cluster.connectors[0]!
  const groupIds = named('away', 200)
  await createAll(url, groupIds)
  await cluster.nodes[2]!.end('SIGKILL')
  await removeAll(url, groupIds)
  await sleep(2.5 * GRACE_SECONDS * 1_000)
  for (const index of [0, 1]) assert.equal(rowsOf(cluster, index), 200, 'nothing goes without the third node')
  cluster.nodes[2]!.start()
  let isOver = false
  const reading = (async () => {
    while (!isOver) {
      await forAll(groupIds, async (groupId) => {
        const { status } = await read(url, groupId)
        assert.equal(status, 404, `${groupId} is back`)
      })
    }
  })()
  await untilRemoved(cluster).finally(() => {
    isOver = true
  })
  await reading
})

test('a connector that slept through the removal wakes up and does no harm', async () => {
  await using cluster = await LocalCluster.start({
    connectors: 2,
    timeoutSeconds: TIMEOUT_SECONDS,
    graceSeconds: GRACE_SECONDS,
  })
  const [sleeper, other] = cluster.connectors
  const groupIds = named('sleep', 100)
  await createAll(sleeper!.url, groupIds)
  // It falls asleep with changes under way, and with a view of every group.
  const changes = groupIds.map((groupId) =>
    call('PATCH', `${sleeper!.url}/v1/group/${groupId}`, { description: 'from the past' }),
  )
  await sleep(5)
  sleeper!.signal('SIGSTOP')
  await removeAll(other!.url, groupIds)
  await untilRemoved(cluster)
  await createAll(other!.url, groupIds)
  const before = await Promise.all(groupIds.map((groupId) => read(other!.url, groupId)))
  sleeper!.signal('SIGCONT')
  // It proposes what it can on what it remembers: creates of groups that have come back meanwhile.
  const creates = await Promise.all(groupIds.map((groupId) => create(sleeper!.url, groupId)))
  for (const { status, body } of creates) assert.equal(status, 409, JSON.stringify(body))
  await Promise.all(changes)
  const after = await Promise.all(groupIds.map((groupId) => read(other!.url, groupId)))
  // A change that it had not even read when it fell asleep may be made now: to the group that is there.
  const birthOf = ({ body }: Awaited<ReturnType<typeof read>>) => `${body.groupId} ${body.createdAt}`
  assert.deepEqual(after.map(birthOf), before.map(birthOf))
})
