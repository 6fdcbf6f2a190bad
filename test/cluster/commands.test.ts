/** The commands that are clients of the API, against a real cluster. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cohortHere, startCommand } from './command.ts'
import type { LocalCluster } from './local-cluster.ts'
import { commonCluster } from './shared-cluster.ts'

const aCluster = commonCluster

/** A command with the URL of the cluster. */
const toCluster = (cluster: LocalCluster, [command = '', ...args]: readonly string[]) =>
  [command, '--url', cluster.connectors[0]!.url, ...args] as const

const cohort = (cluster: LocalCluster, ...args: readonly string[]) => cohortHere(...toCluster(cluster, args))

/** A command on one group, in this process. */
const onGroupHere = (cluster: LocalCluster, groupId: string, args: readonly string[]) =>
  cohortHere(...toCluster(cluster, [...args, '--', groupId]))

for (const groupId of ['..', 'a/b', '🦊', '-x']) {
  test(`the id "${groupId}", which must be escaped in a URL, works with every command`, async () => {
    const cluster = await aCluster()
    const onGroup = (...args: readonly string[]) => onGroupHere(cluster, groupId, args)
    const created = await onGroup('create', '--json', '--description', 'odd', '--label', '__proto__=1')
    assert.equal(created.exitCode, 0, created.output)
    const group = JSON.parse(created.output) as { groupId: string }
    assert.equal(group.groupId, groupId)
    assert.deepEqual((await onGroup('get', '--json')).output, created.output)
    const updated = await onGroup('update', '--remove-label', '__proto__')
    assert.match(updated.output, /^version +2$/m)
    assert.equal((await onGroup('delete')).exitCode, 0)
    const gone = await onGroup('get', '--json')
    assert.equal(gone.exitCode, 1)
    assert.equal((JSON.parse(gone.output) as { code: string }).code, 'group_not_found')
  })
}

test('a command on one group names the conflict, and works with a right ETag', async () => {
  const cluster = await aCluster()
  const onGroup = (...args: readonly string[]) => onGroupHere(cluster, 'a/🦊', args)
  assert.equal((await onGroup('create', '--label', 'a=1')).exitCode, 0)
  const taken = await onGroup('create')
  assert.deepEqual([taken.exitCode, taken.output.includes('(409 group_exists)')], [1, true])
  const etag = /^etag +"(.*)"$/m.exec((await onGroup('get')).output)?.[1] ?? ''
  const updated = await onGroup('update', '--remove-label', 'a', '--if-match', etag)
  assert.match(updated.output, /^version +2$/m)
  const stale = await onGroup('delete', '--if-match', etag)
  assert.deepEqual([stale.exitCode, stale.output.includes('(412 version_mismatch)')], [1, true])
})

test('generate creates groups and finds each of them on every node', async () => {
  const { exitCode, output } = await cohort(await aCluster(), 'generate', '--amount', '1100')
  assert.equal(exitCode, 0, output)
  assert.match(output, /^created +1,100 of 1,100$/m)
  assert.match(output, /^failed +0$/m)
  assert.match(output, /^verified +on 3 nodes: 1,100 {3}on 2 nodes: 0 {3}on 1 node: 0$/m)
  assert.match(output, /^rate +[\d,]+ creates\/s$/m)
  assert.match(output, /^latency +p50 [\d.]+ ms {2}p99 [\d.]+ ms$/m)
})

test('generate creates groups in batches, and list shows all of them', async () => {
  const cluster = await aCluster()
  const { exitCode, output } = await cohort(
    cluster,
    'generate',
    '--amount',
    '300',
    '--batch',
    '70',
    '--concurrency',
    '1',
  )
  assert.equal(exitCode, 0, output)
  assert.match(output, /^creating 300 groups through .*, in batches of 70, 1 at a time$/m)
  assert.match(output, /^verified +on 3 nodes: 300 {3}on 2 nodes: 0 {3}on 1 node: 0$/m)
  const listed = (await cohort(cluster, 'list', '--ids')).output.trimEnd().split('\n')
  assert.ok(listed.length >= 300 && new Set(listed).size === listed.length, `${listed.length} groups`)
  const json = await cohort(cluster, 'list', '--json', '--limit', '1', '--labels', '!none')
  assert.equal((JSON.parse(json.output) as { groupId: string }).groupId, listed[0])
})

test('generate adds members to its groups, and finds each of them on every node', async () => {
  const cluster = await aCluster()
  const { exitCode, output } = await cohort(cluster, 'generate', '-a', '30', '--members', '7', '--batch', '5')
  assert.equal(exitCode, 0, output)
  assert.match(output, /^creating 30 groups with 7 members each through .*, in batches of 5, 4 at a time$/m)
  assert.match(output, /^added +210 members of 210\nfailed +0$/m)
  assert.match(output, /^verified +on 3 nodes: 210 {3}on 2 nodes: 0 {3}on 1 node: 0$/m)
  assert.match(output, /^rate +[\d,]+ members\/s$/m)
})

test('generate reports a node that does not answer, and a quorum is enough', async () => {
  const cluster = await aCluster()
  await cluster.nodes[1]!.end('SIGTERM')
  const { exitCode, output } = await cohort(cluster, 'generate', '--amount', '200')
  assert.equal(exitCode, 0, output)
  assert.match(output, /^verified +on 3 nodes: 0 {3}on 2 nodes: 200 {3}on 1 node: 0$/m)
  assert.ok(output.includes(`${cluster.nodes[1]!.address} holds 0 of 200 (no answer)`), output)
})

test('generate counts what could not be created by its code, and fails', async () => {
  const cluster = await aCluster()
  await Promise.all([cluster.nodes[1]!.end('SIGTERM'), cluster.nodes[2]!.end('SIGTERM')])
  const { exitCode, output } = await cohort(cluster, 'generate', '--amount', '20')
  assert.equal(exitCode, 1, output)
  assert.match(output, /^created +0 of 20$/m)
  assert.match(output, /^failed +20 {3}50[34] /m)
})

test('generate prints what was done when it is interrupted', async () => {
  const cluster = await aCluster()
  await using command = startCommand(
    ...toCluster(cluster, ['generate', '--amount', '1000000', '--concurrency', '1']),
  )
  await command.says(/^created [\d,]+ of 1,000,000/m, 30_000)
  assert.equal(await command.end('SIGINT'), 130)
  assert.match(command.output, /^created +[\d,]+ of 1,000,000$/m)
  assert.match(command.output, /^verified +not verified$/m)
  assert.match(command.output, /^latency +p50 /m)
})
