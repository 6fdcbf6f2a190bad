import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changeAll } from './load.ts'
import { contentsOf, untilEqual } from './node-contents.ts'
import { commonCluster } from './shared-cluster.ts'

test('a node that was down during creates, updates and deletes is identical after its return, without any client', async () => {
  const cluster = await commonCluster()
  const { url } = cluster.connectors[0]!
  const groupsOf = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => ({ groupId: `repair-${prefix}-${index}` }))
  const old = groupsOf('old', 150)
  const fresh = groupsOf('new', 250)
  await changeAll(url, 'create', old)
  const [, , away] = cluster.nodes
  await away!.end('SIGTERM')
  await changeAll(url, 'create', fresh)
  await changeAll(url, 'delete', old.slice(0, 50))
  const changed = old.slice(50, 100).map(({ groupId }) => ({ groupId, description: 'changed' }))
  await changeAll(url, 'update', changed)

  away!.start()
  await untilEqual(cluster.nodes)
  const groups = [...(await contentsOf(away!))].filter(([key]) => key.startsWith('group/repair-'))
  assert.equal(groups.length, 400)
  assert.equal(groups.filter(([, text]) => text.includes('tombstone')).length, 50)
  assert.equal(groups.filter(([, text]) => text.includes('changed')).length, 50)
})
