import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilVerdict } from './cluster-status.ts'
import { create, read } from './load.ts'
import { commonCluster } from './shared-cluster.ts'

test('without a quorum nothing is answered wrongly, and one returning node is enough', async () => {
  const cluster = await commonCluster()
  const { url } = cluster.connectors[0]!
  assert.equal((await create(url, 'before')).status, 201)
  await Promise.all([cluster.nodes[0]!.end('SIGTERM'), cluster.nodes[1]!.end('SIGTERM')])
  // A create in flight when the nodes stop may be unknown; from then on the connector knows that nothing is
  // applied.
  const attempts = [1, 2, 3].map((attempt) => `during-${attempt}`)
  const [reading, ...replies] = await Promise.all([
    read(url, 'before'),
    ...attempts.map((groupId) => create(url, groupId)),
  ])
  assert.equal(reading.status, 503)
  for (const { status, body, headers } of replies) {
    assert.equal(status, 503, JSON.stringify(body))
    assert.equal(body.code, 'unavailable')
    assert.equal(body.outcome, 'not_applied')
    assert.ok(headers['retry-after'])
  }
  await cluster.nodes[0]!.restart()
  await untilVerdict(url, 'degraded')
  assert.equal((await read(url, 'before')).status, 200)
  for (const groupId of attempts) assert.equal((await read(url, groupId)).status, 404)
  assert.equal((await create(url, 'during-1')).status, 201)
})
