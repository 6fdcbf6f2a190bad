/** Backup and restore between clusters of real processes. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Group } from '../../src/group/group.ts'
import { untilVerdict } from './cluster-status.ts'
import { cohort, startCommand } from './command.ts'
import { CreateLoad, call, create, forEach, groupUrl, read, remove } from './load.ts'
import { type LocalCluster, untilReady } from './local-cluster.ts'
import { sharedCluster } from './shared-cluster.ts'
import { TcpProxy } from './tcp-proxy.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { until } from './waiting.ts'

/** The cluster whose backups are made. */
const aSource = sharedCluster()

/** The cluster into which backups are restored. Each test leaves it without groups. */
const aTarget = sharedCluster()

const urlOf = (cluster: LocalCluster) => cluster.connectors[0]!.url

const backup = (cluster: LocalCluster, file: string) =>
  cohort('backup', '--url', urlOf(cluster), '--out', file)

const restoreArgs = (cluster: LocalCluster, file: string) =>
  ['restore', '--url', urlOf(cluster), '--in', file] as const

const restore = (cluster: LocalCluster, file: string, ...options: readonly string[]) =>
  cohort(...restoreArgs(cluster, file), ...options)

/** Creates groups with descriptions and labels, gives some of them further versions, and deletes some. */
async function fill(base: string, prefix: string, count: number): Promise<void> {
  const groupIds = Array.from({ length: count }, (_, index) => `${prefix}/${index} 🦊`)
  const make = async (groupId: string) => {
    const index = groupIds.indexOf(groupId)
    const body = { groupId, description: `the ${index}th`, labels: { n: String(index) } }
    assert.equal((await call('POST', `${base}/v1/group`, body)).status, 201)
    if (index % 5 === 0) {
      assert.equal((await call('PATCH', groupUrl(base, groupId), { labels: { more: 'x' } })).status, 200)
    }
    if (index % 11 === 0) assert.equal((await remove(base, groupId)).status, 200)
  }
  await forEach(groupIds, make, 32)
}

/** Deletes all groups of a cluster. */
async function clear(base: string): Promise<void> {
  await forEach([...(await groupsOf(base)).keys()], (groupId) => remove(base, groupId))
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

  await Promise.all(cluster.services.map((service) => service.end('SIGKILL')))
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
  await until('some groups are there', 30_000, async () => {
    const { body } = await call('GET', `${base}/v1/group?limit=1`)
    return (body.groups as []).length > 0
  })
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
  await until('some more groups are there', 30_000, async () => (await countGroups()) > done)
  await second.end('SIGKILL')
  const doneAfterKill = await countGroups()
  assert.ok(doneAfterKill < before.size, `${doneAfterKill} of ${before.size}`)
  assert.equal((await restore(to, file)).exitCode, 1, 'without --resume it is refused')

  await to.nodes[2]!.end('SIGKILL')
  const resumed = await restore(to, file, '--resume')
  assert.equal(resumed.exitCode, 0, resumed.output)
  assert.deepEqual(await groupsOf(base), before)
})

test('a backup works while a node is stopped, and without a quorum it gives up and leaves no file', async () => {
  await using directory = await temporaryDirectory()
  const cluster = await aSource()
  await fill(urlOf(cluster), 'late', 100)
  cluster.nodes[0]!.signal('SIGSTOP')
  const made = await backup(cluster, join(directory.path, 'groups.jsonl'))
  assert.equal(made.exitCode, 0, made.output)
  cluster.nodes[1]!.signal('SIGSTOP')
  await untilVerdict(urlOf(cluster), 'unavailable')
  const failed = await backup(cluster, join(directory.path, 'other.jsonl'))
  assert.equal(failed.exitCode, 1, failed.output)
  assert.match(failed.output, /cohort: .*(unavailable|was not written)/)
  assert.deepEqual(await readdir(directory.path), ['groups.jsonl'])
})
