/** Backup and restore between clusters of real processes. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Group } from '../../src/group/group.ts'
import { untilVerdict } from './cluster-status.ts'
import { cohortHere, startCommand } from './command.ts'
import { groupRowCount } from './disk-contents.ts'
import { CreateLoad, call, changeAll, create, groupUrl, read } from './load.ts'
import { type LocalCluster, untilReady } from './local-cluster.ts'
import { sharedCluster } from './shared-cluster.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { until } from './waiting.ts'

/** The cluster whose backups are made. */
const aSource = sharedCluster({ isProxied: true, processes: [] })

/** The cluster into which backups are restored. Each test leaves it without groups. */
const aTarget = sharedCluster({ processes: [] })

const urlOf = (cluster: LocalCluster) => cluster.connectors[0]!.url

const backup = (cluster: LocalCluster, file: string) =>
  cohortHere('backup', '--url', urlOf(cluster), '--out', file)

const restoreArgs = (cluster: LocalCluster, file: string) =>
  ['restore', '--url', urlOf(cluster), '--in', file] as const

const restore = (cluster: LocalCluster, file: string, ...options: readonly string[]) =>
  cohortHere(...restoreArgs(cluster, file), ...options)

/** Creates groups with descriptions and labels, gives some of them further versions, and deletes some. */
async function fill(base: string, prefix: string, count: number): Promise<void> {
  const groups = Array.from({ length: count }, (_, index) => ({
    groupId: `${prefix}/${index} 🦊`,
    description: `the ${index}th`,
    labels: { n: String(index) },
  }))
  await changeAll(base, 'create', groups)
  const some = (step: number, more: object) =>
    groups.filter((_, index) => index % step === 0).map(({ groupId }) => ({ groupId, ...more }))
  await changeAll(base, 'update', some(5, { labels: { more: 'x' } }))
  await changeAll(base, 'delete', some(11, {}))
}

/** Deletes all groups of a cluster. */
async function clear(base: string): Promise<void> {
  const left = [...(await groupsOf(base)).keys()].map((groupId) => ({ groupId }))
  await changeAll(base, 'delete', left)
}

/** All groups of a cluster by id, as they are stored. */
async function groupsOf(base: string): Promise<Map<string, Group>> {
  const found = new Map<string, Group>()
  for (let after: string | undefined; ; ) {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
    const { body } = await call('GET', `${base}/v1/backup?limit=1000${query}`)
    for (const group of body.groups as Group[]) found.set(group.groupId, group)
    if (body.after === undefined) return found
    after = body.after as string
  }
}

test('a restore into a cluster that holds a group is refused, and so is a damaged file: nothing is written', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'groups.jsonl')
  const cluster = await aSource()
  const base = urlOf(cluster)
  await fill(base, 'few', 50)
  assert.equal((await backup(cluster, file)).exitCode, 0)
  const before = await groupsOf(base)
  const refused = await restore(cluster, file)
  assert.equal(refused.exitCode, 1)
  assert.match(refused.output, /is not empty \(it holds "few\/1 🦊"\), and nothing was written/)
  const bytes = await readFile(file)
  await writeFile(file, bytes.subarray(0, bytes.length - 1))
  await clear(base)
  const damaged = await restore(cluster, file)
  assert.equal(damaged.exitCode, 1)
  assert.match(damaged.output, /is refused: it was cut off/)
  assert.equal((await groupsOf(base)).size, 0)
  // The cluster is empty again, with tombstones: it takes the whole file.
  await writeFile(file, bytes)
  const restored = await restore(cluster, file)
  assert.equal(restored.exitCode, 0, restored.output)
  assert.deepEqual(await groupsOf(base), before)
})

test('a group of the reserved names is backed up like any other', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'groups.jsonl')
  const cluster = await aSource()
  await create(urlOf(cluster), 'cohort-verify-1/x')
  assert.equal((await backup(cluster, file)).exitCode, 0)
  assert.match(await readFile(file, 'utf8'), /^\{"groupId":"cohort-verify-1\/x"/m)
})

test('all disks lost: a restore in the new cluster brings everything back, and what was changed goes on from there', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'groups.jsonl')
  const cluster = await aTarget()
  const base = urlOf(cluster)
  await fill(base, 'lost', 100)
  const before = await groupsOf(base)
  assert.equal((await backup(cluster, file)).exitCode, 0)

  await Promise.all(cluster.services.map((service) => service.end('SIGTERM')))
  for (const index of cluster.nodes.keys()) await rm(cluster.dataDirectory(index), { recursive: true })
  for (const service of cluster.services) service.start()
  await untilReady(cluster.connectors[0]!)
  assert.equal((await groupsOf(base)).size, 0)
  assert.equal((await restore(cluster, file)).exitCode, 0)
  assert.deepEqual(await groupsOf(base), before)
  const [groupId, { version, incarnation }] = [...before][5]!
  const patched = await call('PATCH', groupUrl(base, groupId), { description: 'after' })
  assert.equal(patched.headers.etag, `"${version + 1}-${incarnation}"`)
  await clear(base)
})

test('a backup under load, restored in another cluster: the same groups, with the same ETags', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'groups.jsonl')
  const from = await aSource()
  const base = urlOf(from)
  await fill(base, 'many', 400)
  const before = await groupsOf(base)
  await using load = new CreateLoad(base, 'load', 8)
  await load.untilMore(20)
  const createdBefore = [...load.created]
  const made = await backup(from, file)
  await load.stop()
  assert.equal(made.exitCode, 0, made.output)
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await readdir(directory.path), ['groups.jsonl'])

  const to = await aTarget()
  const restored = await restore(to, file)
  assert.equal(restored.exitCode, 0, restored.output)
  const groups = await groupsOf(urlOf(to))
  // Nothing of before is missing, and nothing is there that never was.
  for (const [groupId, group] of before) assert.deepEqual(groups.get(groupId), group)
  for (const groupId of createdBefore) assert.ok(groups.has(groupId), groupId)
  const everMade = new Set([...before.keys(), ...load.created])
  for (const groupId of groups.keys()) assert.ok(everMade.has(groupId), groupId)
  for (const groupId of [...groups.keys()].slice(0, 100)) {
    const [here, there] = await Promise.all([read(base, groupId), read(urlOf(to), groupId)])
    assert.deepEqual([there.headers.etag, there.body], [here.headers.etag, here.body])
  }
  await clear(urlOf(to))
})

test('a restore that SIGINT ended, and then SIGKILL, is resumed while a node is down', async () => {
  await using directory = await temporaryDirectory()
  const file = join(directory.path, 'groups.jsonl')
  const from = await aSource()
  await clear(urlOf(from))
  await fill(urlOf(from), 'more', 1_700)
  assert.equal((await backup(from, file)).exitCode, 0)
  const before = await groupsOf(urlOf(from))

  const to = await aTarget()
  const base = urlOf(to)
  const countGroups = async () => (await groupsOf(base)).size
  // A restore has at most 512 groups on their way. It cannot end before the signal, because each answer
  // arrives late.
  await using proxy = await TcpProxy.start(Number(new URL(base).port))
  const slowly = ['restore', '--url', `http://${proxy.address}`, '--in', file] as const
  proxy.delay('toClient', 2_000)
  await using first = startCommand(...slowly)
  const rowCount = () => groupRowCount(to.dataDirectory(0))
  const rowsBefore = rowCount()
  await until('some groups are there', 30_000, () => rowCount() > rowsBefore)
  proxy.blackHole('toServer')
  const ended = first.end('SIGINT')
  proxy.heal()
  assert.equal(await ended, 130, first.output)
  const total = before.size.toLocaleString('en-US')
  assert.match(
    first.output,
    new RegExp(`^restored {2}[\\d,]+ of ${total}\\ninterrupted: repeat it with --resume$`, 'm'),
  )
  const done = await countGroups()
  assert.ok(done > 0 && done < before.size, `${done} of ${before.size}`)
  assert.equal((await restore(to, file)).exitCode, 1, 'without --resume it is refused')

  proxy.delay('toClient', 2_000)
  await using second = startCommand(...slowly, '--resume')
  const rowsDone = rowCount()
  await until('some more groups are there', 30_000, () => rowCount() > rowsDone)
  await second.end('SIGKILL')
  const doneAfterKill = await countGroups()
  assert.ok(doneAfterKill < before.size, `${doneAfterKill} of ${before.size}`)
  assert.equal((await restore(to, file)).exitCode, 1, 'without --resume it is refused')

  await to.nodes[2]!.end('SIGTERM')
  const resumed = await restore(to, file, '--resume')
  assert.equal(resumed.exitCode, 0, resumed.output)
  assert.deepEqual(await groupsOf(base), before)
})

/** Nothing passes between the connector and a node any more, as if the node hung. */
function hang(cluster: LocalCluster, node: number): void {
  for (const direction of ['toServer', 'toClient'] as const) cluster.links[0]![node]!.blackHole(direction)
}

test('a backup works while a node hangs, and without a quorum it gives up and leaves no file', async () => {
  await using directory = await temporaryDirectory()
  const cluster = await aSource()
  await fill(urlOf(cluster), 'late', 100)
  hang(cluster, 0)
  const made = await backup(cluster, join(directory.path, 'groups.jsonl'))
  assert.equal(made.exitCode, 0, made.output)
  hang(cluster, 1)
  await untilVerdict(urlOf(cluster), 'unavailable')
  const failed = await backup(cluster, join(directory.path, 'other.jsonl'))
  assert.equal(failed.exitCode, 1, failed.output)
  assert.match(failed.output, /cohort: .*(unavailable|was not written)/)
  assert.deepEqual(await readdir(directory.path), ['groups.jsonl'])
})
