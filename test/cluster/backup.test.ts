/** Backup and restore between clusters of real processes. */
import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Group } from '../../src/group/group.ts'
import { CreateLoad, call, create, groupUrl, read } from './load.ts'
import { LocalCluster, Service, until } from './local-cluster.ts'

/** A directory that goes away with the test. */
async function aDirectory(): Promise<AsyncDisposable & { path: string; file: string }> {
  const path = await mkdtemp(join(tmpdir(), 'cohort-backup-'))
  return {
    path,
    file: join(path, 'groups.jsonl'),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true }),
  }
}

function start(cluster: LocalCluster, command: string, ...args: readonly string[]): Service {
  const service = new Service(command, 0, [command, '--url', cluster.connectors[0]!.url, ...args])
  service.start()
  return service
}

async function run(cluster: LocalCluster, command: string, ...args: readonly string[]) {
  const service = start(cluster, command, ...args)
  return { exitCode: await service.exit(), output: service.output }
}

/** Creates groups with descriptions and labels, and gives some of them further versions. */
async function fill(base: string, count: number): Promise<void> {
  let next = 0
  const worker = async () => {
    for (let index = next++; index < count; index = next++) {
      const groupId = `g/${index} 🦊`
      const body = { groupId, description: `the ${index}th`, labels: { n: String(index) } }
      assert.equal((await call('POST', `${base}/v1/group`, body)).status, 201)
      if (index % 5 === 0) {
        assert.equal((await call('PATCH', groupUrl(base, groupId), { labels: { more: 'x' } })).status, 200)
      }
      if (index % 11 === 0) assert.equal((await call('DELETE', groupUrl(base, groupId))).status, 200)
    }
  }
  await Promise.all(Array.from({ length: 32 }, worker))
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

test('a backup under load, restored in another cluster: the same groups, with the same ETags', async () => {
  await using directory = await aDirectory()
  await using from = await LocalCluster.start()
  const base = from.connectors[0]!.url
  await fill(base, 1_500)
  const before = await groupsOf(base)
  const load = new CreateLoad(base, 'load', 8)
  await until('the load has begun', 10_000, () => load.created.length > 20)
  const createdBefore = [...load.created]
  const made = await run(from, 'backup', '--out', directory.file)
  await load.stop()
  assert.equal(made.exitCode, 0, made.output)
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await readdir(directory.path), ['groups.jsonl'])

  await using to = await LocalCluster.start()
  const restored = await run(to, 'restore', '--in', directory.file)
  assert.equal(restored.exitCode, 0, restored.output)
  const groups = await groupsOf(to.connectors[0]!.url)
  // Nothing of before is missing, and nothing is there that never was.
  for (const [groupId, group] of before) assert.deepEqual(groups.get(groupId), group)
  for (const groupId of createdBefore) assert.ok(groups.has(groupId), groupId)
  const everMade = new Set([...before.keys(), ...load.created])
  for (const groupId of groups.keys()) assert.ok(everMade.has(groupId), groupId)
  for (const groupId of [...groups.keys()].slice(0, 200)) {
    const [here, there] = await Promise.all([read(base, groupId), read(to.connectors[0]!.url, groupId)])
    assert.deepEqual([there.headers.etag, there.body], [here.headers.etag, here.body])
  }
})

test('all disks lost: a restore in the new cluster brings everything back, and what was changed goes on from there', async () => {
  await using directory = await aDirectory()
  let before: Map<string, Group>
  {
    await using lost = await LocalCluster.start()
    await fill(lost.connectors[0]!.url, 300)
    before = await groupsOf(lost.connectors[0]!.url)
    assert.equal((await run(lost, 'backup', '--out', directory.file)).exitCode, 0)
  }
  await using fresh = await LocalCluster.start()
  const base = fresh.connectors[0]!.url
  assert.equal((await run(fresh, 'restore', '--in', directory.file)).exitCode, 0)
  assert.deepEqual(await groupsOf(base), before)
  const [groupId, { version, incarnation }] = [...before][5]!
  const patched = await call('PATCH', groupUrl(base, groupId), { description: 'after' })
  assert.equal(patched.headers.etag, `"${version + 1}-${incarnation}"`)
})

test('a restore into a cluster that holds a group is refused, and so is a damaged file: nothing is written', async () => {
  await using directory = await aDirectory()
  await using cluster = await LocalCluster.start()
  const base = cluster.connectors[0]!.url
  await fill(base, 50)
  assert.equal((await run(cluster, 'backup', '--out', directory.file)).exitCode, 0)
  const before = await groupsOf(base)
  const refused = await run(cluster, 'restore', '--in', directory.file)
  assert.equal(refused.exitCode, 1)
  assert.match(refused.output, /is not empty \(it holds "g\/1 🦊"\), and nothing was written/)
  const bytes = await readFile(directory.file)
  await writeFile(directory.file, bytes.subarray(0, bytes.length - 1))
  for (const groupId of before.keys()) await call('DELETE', groupUrl(base, groupId))
  const damaged = await run(cluster, 'restore', '--in', directory.file)
  assert.equal(damaged.exitCode, 1)
  assert.match(damaged.output, /is refused: it was cut off/)
  assert.equal((await groupsOf(base)).size, 0)
  // The cluster is empty again, with tombstones: it takes the whole file.
  await writeFile(directory.file, bytes)
  const restored = await run(cluster, 'restore', '--in', directory.file)
  assert.equal(restored.exitCode, 0, restored.output)
  assert.deepEqual(await groupsOf(base), before)
})

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  test(`a restore that ${signal} ended is resumed, while a node is down`, async () => {
    await using directory = await aDirectory()
    await using from = await LocalCluster.start()
    await fill(from.connectors[0]!.url, 3_000)
    assert.equal((await run(from, 'backup', '--out', directory.file)).exitCode, 0)
    const before = await groupsOf(from.connectors[0]!.url)

    await using to = await LocalCluster.start()
    const base = to.connectors[0]!.url
    const first = start(to, 'restore', '--in', directory.file)
    const anyGroup = async () =>
      ((await call('GET', `${base}/v1/group?limit=1`)).body.groups as []).length > 0
    await until('some groups are there', 20_000, anyGroup, () => first.output)
    const exitCode = await first.end(signal)
    if (signal === 'SIGINT') {
      assert.equal(exitCode, 130, first.output)
      assert.match(first.output, /^restored {2}[\d,]+ of 2,727\ninterrupted: repeat it with --resume$/m)
    }
    const done = (await groupsOf(base)).size
    assert.ok(done > 0 && done < before.size, `${done} of ${before.size}`)
    assert.equal((await run(to, 'restore', '--in', directory.file)).exitCode, 1)

    await to.nodes[2]!.end('SIGKILL')
    const resumed = await run(to, 'restore', '--in', directory.file, '--resume')
    assert.equal(resumed.exitCode, 0, resumed.output)
    assert.deepEqual(await groupsOf(base), before)
  })
}

test('a backup does without a stopped node, and without a quorum it gives up and leaves no file', async () => {
  await using directory = await aDirectory()
  await using cluster = await LocalCluster.start({ timeoutSeconds: 1 })
  await fill(cluster.connectors[0]!.url, 200)
  cluster.nodes[0]!.signal('SIGSTOP')
  const made = await run(cluster, 'backup', '--out', directory.file)
  assert.equal(made.exitCode, 0, made.output)
  cluster.nodes[1]!.signal('SIGSTOP')
  const failed = await run(cluster, 'backup', '--out', join(directory.path, 'other.jsonl'))
  assert.equal(failed.exitCode, 1, failed.output)
  assert.match(failed.output, /cohort: .*(unavailable|was not written)/)
  assert.deepEqual(await readdir(directory.path), ['groups.jsonl'])
})

test('a group of the reserved names is backed up like any other', async () => {
  await using directory = await aDirectory()
  await using cluster = await LocalCluster.start()
  await create(cluster.connectors[0]!.url, 'cohort-verify-1/x')
  assert.equal((await run(cluster, 'backup', '--out', directory.file)).exitCode, 0)
  assert.match(await readFile(directory.file, 'utf8'), /^\{"groupId":"cohort-verify-1\/x"/m)
})
