import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, create, forEach, groupUrl, remove } from './load.ts'
import { contentsOf, untilEqual } from './node-contents.ts'
import { commonCluster } from './shared-cluster.ts'

test('a node that was down during creates, updates and deletes is identical after its return, without any client', async () => {
  const cluster = await commonCluster()
  const { url } = cluster.connectors[0]!
  const ids = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `repair-${prefix}-${index}`)
  const old = ids('old', 150)
  const fresh = ids('new', 250)
  await forEach(old, (groupId) => create(url, groupId))
  const [, , away] = cluster.nodes
  await away!.end('SIGKILL')
  await forEach(fresh, (groupId) => create(url, groupId))
  await forEach(old.slice(0, 50), (groupId) => remove(url, groupId))
  await forEach(old.slice(50, 100), (groupId) =>
    call('PATCH', groupUrl(url, groupId), { description: 'changed' }),
  )

  away!.start()
  await untilEqual(cluster.nodes)
  const groups = [...(await contentsOf(away!))].filter(([key]) => key.startsWith('group/repair-'))
  assert.equal(groups.length, 400)
  assert.equal(groups.filter(([, text]) => text.includes('tombstone')).length, 50)
  assert.equal(groups.filter(([, text]) => text.includes('changed')).length, 50)
})
