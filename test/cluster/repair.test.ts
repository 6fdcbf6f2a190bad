import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaveNothing } from './leave-nothing.ts'
import { call, create, forEach, groupUrl, remove } from './load.ts'
import { LocalCluster } from './local-cluster.ts'
import { contentsOf, untilEqual } from './node-contents.ts'

leaveNothing()

test('a node that was down during creates, updates and deletes is identical after its return, without any client', async () => {
  await using cluster = await LocalCluster.start({ connectors: 2 })
  const [{ url }] = cluster.connectors as [(typeof cluster.connectors)[0]]
  const ids = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  const old = ids('old', 300)
  const fresh = ids('new', 700)
  await forEach(old, (groupId) => create(url, groupId))
  const [, , away] = cluster.nodes
  await away!.end('SIGKILL')
  await forEach(fresh, (groupId) => create(url, groupId))
  await forEach(old.slice(0, 100), (groupId) => remove(url, groupId))
  await forEach(old.slice(100, 200), (groupId) =>
    call('PATCH', groupUrl(url, groupId), { description: 'changed' }),
  )

  away!.start()
  await untilEqual(cluster.nodes)
  const groups = [...(await contentsOf(away!))].filter(([key]) => key.startsWith('group/'))
  assert.equal(groups.length, 1_000)
  assert.equal(groups.filter(([, text]) => text.includes('tombstone')).length, 100)
  assert.equal(groups.filter(([, text]) => text.includes('changed')).length, 100)
})
