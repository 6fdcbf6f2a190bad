import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CreateLoad, missingOf } from './load.ts'
import { LocalCluster, untilReady } from './local-cluster.ts'

test('SIGTERM drains a connector: every request that it accepted is answered', async () => {
  await using cluster = await LocalCluster.start()
  const connector = cluster.connectors[0]!
  const load = new CreateLoad(connector.url, 'drain', 32)
  await sleep(500)
  const exitCode = await connector.end('SIGTERM')
  await load.stopAfterFailure()
  assert.equal(exitCode, 0)
  // What was not answered 201 was never accepted: the connection was refused, or closed before the request was read.
  assert.deepEqual(
    load.failed.filter(({ reply }) => reply.status !== 0),
    [],
  )
  connector.start()
  await untilReady(connector)
  assert.deepEqual(await missingOf(connector.url, load.created), [])
  for (const { groupId, reply } of load.failed) {
    const missing = await missingOf(connector.url, [groupId])
    assert.deepEqual(
      missing,
      [groupId],
      `${groupId} was done, but its client was told ${JSON.stringify(reply)}`,
    )
  }
})

test('SIGTERM ends a node in order, and what it holds is there when it starts again', async () => {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const load = new CreateLoad(url, 'rolling', 8)
  for (const node of cluster.nodes) {
    await sleep(300)
    assert.equal(await node.end('SIGTERM'), 0)
    node.start()
    await sleep(1_500)
  }
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
})
