/** The commands that are clients of the API, against a real cluster. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LocalCluster, Service, until } from './local-cluster.ts'

/** Runs one command against a cluster, to its end. */
async function cohort(
  cluster: LocalCluster,
  ...args: readonly string[]
): Promise<Readonly<{ exitCode: number | null; output: string }>> {
  const command = start(cluster, ...args)
  return { exitCode: await command.exit(), output: command.output }
}

function start(cluster: LocalCluster, ...[command = '', ...args]: readonly string[]): Service {
  const service = new Service(command, 0, [command, '--url', cluster.connectors[0]!.url, ...args])
  service.start()
  return service
}

test('ids that a URL could not hold as they are go through every command', async () => {
  await using cluster = await LocalCluster.start()
  for (const groupId of ['..', 'a/b', '🦊', '-x']) {
    const run = (...args: readonly string[]) => cohort(cluster, ...args, '--', groupId)
    const created = await run('create', '--json', '--description', 'odd', '--label', '__proto__=1')
    assert.equal(created.exitCode, 0, created.output)
    const group: unknown = JSON.parse(created.output)
    assert.deepEqual((await run('get', '--json')).output, created.output)
    assert.equal((group as { groupId: string }).groupId, groupId)

    const taken = await run('create')
    assert.deepEqual([taken.exitCode, taken.output.includes('(409 group_exists)')], [1, true])

    const etag = /^etag +"(.*)"$/m.exec((await run('get')).output)?.[1] ?? ''
    const updated = await run('update', '--remove-label', '__proto__', '--if-match', etag)
    assert.match(updated.output, /^version +2$/m)
    const stale = await run('delete', '--if-match', etag)
    assert.deepEqual([stale.exitCode, stale.output.includes('(412 version_mismatch)')], [1, true])

    assert.equal((await run('delete')).exitCode, 0)
    const gone = await run('get', '--json')
    assert.equal(gone.exitCode, 1)
    assert.equal((JSON.parse(gone.output) as { code: string }).code, 'group_not_found')
  }
})

test('generate creates groups and finds each of them on every node', async () => {
  await using cluster = await LocalCluster.start()
  const { exitCode, output } = await cohort(cluster, 'generate', '--amount', '1500')
  assert.equal(exitCode, 0, output)
  assert.match(output, /^created +1,500 of 1,500$/m)
  assert.match(output, /^failed +0$/m)
  assert.match(output, /^verified +on 3 nodes: 1,500 {3}on 2 nodes: 0 {3}on 1 node: 0$/m)
  assert.match(output, /^rate +[\d,]+ creates\/s$/m)
  assert.match(output, /^latency +p50 [\d.]+ ms {2}p99 [\d.]+ ms$/m)
})

test('generate tells of a node that is away, and a quorum is enough', async () => {
  await using cluster = await LocalCluster.start()
  await cluster.nodes[1]!.end('SIGKILL')
  const { exitCode, output } = await cohort(cluster, 'generate', '--amount', '200')
  assert.equal(exitCode, 0, output)
  assert.match(output, /^verified +on 3 nodes: 0 {3}on 2 nodes: 200 {3}on 1 node: 0$/m)
  assert.ok(output.includes(`${cluster.nodes[1]!.address} holds 0 of 200 (no answer)`), output)
})

test('generate counts what could not be created by its code, and fails', async () => {
  await using cluster = await LocalCluster.start({ timeoutSeconds: 0.5 })
  await Promise.all([cluster.nodes[1]!.end('SIGKILL'), cluster.nodes[2]!.end('SIGKILL')])
  const { exitCode, output } = await cohort(cluster, 'generate', '--amount', '20')
  assert.equal(exitCode, 1, output)
  assert.match(output, /^created +0 of 20$/m)
  assert.match(output, /^failed +20 {3}50[34] /m)
})

test('generate that is interrupted prints what was done so far', async () => {
  await using cluster = await LocalCluster.start()
  const command = start(cluster, 'generate', '--amount', '1000000')
  await until(
    'some groups are there',
    20_000,
    () => /^created [\d,]+ of 1,000,000/m.test(command.output),
    () => command.output,
  )
  assert.equal(await command.end('SIGINT'), 130)
  assert.match(command.output, /^created +[\d,]+ of 1,000,000$/m)
  assert.match(command.output, /^verified +not verified$/m)
  assert.match(command.output, /^latency +p50 /m)
})
