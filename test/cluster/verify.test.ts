/** `cohort verify` against a real cluster: how it ends when it is interrupted. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startCommand } from './command.ts'
import { call } from './load.ts'
import type { LocalCluster } from './local-cluster.ts'
import { commonCluster } from './shared-cluster.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const aCluster = commonCluster

const urlsOf = ({ connectors }: LocalCluster) => connectors.flatMap(({ url }) => ['--url', url])

test('verify reports its findings when it is interrupted, and leaves no group behind', async () => {
  await using directory = await temporaryDirectory()
  const cluster = await aCluster()
  const history = ['--history', join(directory.path, 'history.jsonl')]
  await using verify = startCommand('verify', '--seconds', '600', ...history, ...urlsOf(cluster))
  await verify.says(/[1-9]\d* operations/, 30_000)
  assert.equal(await verify.end('SIGINT'), 130, verify.output)
  assert.match(verify.output, /^verdict +linearizable$/m)
  const { body } = await call('GET', `${cluster.connectors[0]!.url}/v1/group?after=cohort-verify`)
  const groupIds = (body.groups as { groupId: string }[]).map(({ groupId }) => groupId)
  assert.deepEqual(
    groupIds.filter((groupId) => groupId.startsWith('cohort-verify')),
    [],
  )
})

test('verify of a cluster that does not answer fails', async () => {
  await using directory = await temporaryDirectory()
  const cluster = await aCluster()
  await Promise.all([cluster.nodes[0]!.end('SIGTERM'), cluster.nodes[1]!.end('SIGTERM')])
  const history = ['--history', join(directory.path, 'history.jsonl')]
  await using verify = startCommand('verify', '--seconds', '600', ...history, ...urlsOf(cluster))
  await verify.says(/[1-9]\d* operations/, 30_000)
  // Groups cannot be deleted either: an interrupt shortens the wait for that.
  assert.equal(await verify.end('SIGINT'), 130)
  assert.match(verify.output, /^verdict +none: too little was answered/m)
})
