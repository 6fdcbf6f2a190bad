import assert from 'node:assert/strict'
import { test } from 'node:test'
import { create, read, remove } from './load.ts'
import { commonCluster } from './shared-cluster.ts'

const aCluster = commonCluster

test('of simultaneous creates through two connectors exactly one gets 201, the others 409', async () => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  for (let round = 0; round < 100; round += 1) {
    const groupId = `race-${round}`
    const replies = await Promise.all([0, 1, 0, 1, 0, 1].map((index) => create(urls[index]!, groupId)))
    const statuses = replies.map(({ status }) => status).sort()
    assert.deepEqual(statuses, [201, 409, 409, 409, 409, 409], `round ${round}`)
    const seen = await Promise.all(urls.map((url) => read(url, groupId)))
    assert.deepEqual(seen[0]!.body, seen[1]!.body)
  }
})

test('two connectors that create and delete the same groups never lose or repeat a life', async () => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  const groupIds = Array.from({ length: 5 }, (_, index) => `shared-${index}`)
  const tally = new Map(groupIds.map((groupId) => [groupId, { created: 0, deleted: 0 }]))
  const etags = new Set<unknown>()
  let acknowledged = 0
  const client = async (url: string, seed: number) => {
    for (let step = 0; step < 60; step += 1) {
      const groupId = groupIds[(seed * 7 + step * 3) % groupIds.length]!
      const counts = tally.get(groupId)!
      if ((step + seed) % 2 === 0) {
        const { status, headers } = await create(url, groupId)
        assert.ok([201, 409].includes(status), `create answered ${status}`)
        if (status !== 201) continue
        counts.created += 1
        assert.ok(!etags.has(headers.etag), 'an ETag came twice')
        etags.add(headers.etag)
      } else {
        const { status } = await remove(url, groupId)
        assert.ok([200, 404].includes(status), `delete answered ${status}`)
        if (status === 200) counts.deleted += 1
      }
      acknowledged += 1
    }
  }
  await Promise.all(Array.from({ length: 12 }, (_, seed) => client(urls[seed % 2]!, seed)))
  assert.ok(acknowledged > 100)
  for (const groupId of groupIds) {
    const { created, deleted } = tally.get(groupId)!
    const { status } = await read(urls[0]!, groupId)
    assert.equal(
      created - deleted,
      status === 200 ? 1 : 0,
      `${groupId}: ${created} created, ${deleted} deleted, then ${status}`,
    )
  }
})
