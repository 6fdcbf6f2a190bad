import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { cohort, startCommand } from './command.ts'
import { call } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { sharedCluster } from './shared-cluster.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import { verifyUnderFaults } from './verify-under-faults.ts'

const aCluster = sharedCluster({ connectors: 2, timeoutSeconds: 1 })

const urlsOf = ({ connectors }: LocalCluster) => connectors.flatMap(({ url }) => ['--url', url])

test('clients see one linearizable history for 15 s of kills, stops and broken networks', async (t) => {
  t.diagnostic(await verifyUnderFaults(15))
})

test('verify reports its findings when it is interrupted, and leaves no group behind', async () => {
  await using directory = await temporaryDirectory()
  const cluster = await aCluster()
  const groups = async () => (await call('GET', `${cluster.connectors[0]!.url}/v1/group`)).body.groups as []
  const history = ['--history', join(directory.path, 'history.jsonl')]
  await using verify = startCommand('verify', '--seconds', '600', ...history, ...urlsOf(cluster))
  await verify.says(/[1-9]\d* operations/, 10_000)
  assert.equal(await verify.end('SIGINT'), 130, verify.output)
  assert.match(verify.output, /^verdict +linearizable$/m)
  assert.deepEqual(await groups(), [])
})

test('verify through connectors of two clusters is refused', async () => {
  const cluster = await aCluster()
  await using other = await LocalCluster.start({ nodes: 1 })
  const { exitCode, output } = await cohort('verify', ...urlsOf(cluster), ...urlsOf(other))
  assert.equal(exitCode, 1, output)
  assert.match(output, /serve different clusters/)
})

test('verify of a cluster that does not answer fails', async () => {
  await using directory = await temporaryDirectory()
  const cluster = await aCluster()
  await Promise.all([cluster.nodes[0]!.end('SIGKILL'), cluster.nodes[1]!.end('SIGKILL')])
  const history = ['--history', join(directory.path, 'history.jsonl')]
  await using verify = startCommand('verify', '--seconds', '600', ...history, ...urlsOf(cluster))
  await verify.says(/[1-9]\d* operations/, 10_000)
  // Groups cannot be deleted either: an interrupt shortens the wait for that.
  assert.equal(await verify.end('SIGINT'), 130)
  assert.match(verify.output, /^verdict +none: too little was answered/m)
})
