import assert from 'node:assert/strict'
import { test } from 'node:test'
import { call, create, groupUrl, remove } from './load.ts'
import { LocalCluster, until } from './local-cluster.ts'
import { contentsOf, differences } from './node-contents.ts'

/** Longer than any of it takes on a busy machine: two looks, a pass, and a comparison. */
const REPAIR_MS_MAX = 30_000

async function inParallel(
  groupIds: readonly string[],
  act: (groupId: string) => Promise<unknown>,
): Promise<void> {
  const queue = [...groupIds]
  const loops = Array.from({ length: 32 }, async () => {
    for (let groupId = queue.pop(); groupId !== undefined; groupId = queue.pop()) await act(groupId)
  })
  await Promise.all(loops)
}

test('a node that was down during creates, updates and deletes is identical after its return, without any client', async () => {
  await using cluster = await LocalCluster.start({ connectors: 2 })
  const [{ url }] = cluster.connectors as [(typeof cluster.connectors)[0]]
  const ids = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
  const old = ids('old', 600)
  const fresh = ids('new', 2_000)
  await inParallel(old, (groupId) => create(url, groupId))
  const [, , away] = cluster.nodes
  await away!.end('SIGKILL')
  await inParallel(fresh, (groupId) => create(url, groupId))
  await inParallel(old.slice(0, 200), (groupId) => remove(url, groupId))
  await inParallel(old.slice(200, 400), (groupId) =>
    call('PATCH', groupUrl(url, groupId), { description: 'changed' }),
  )

  away!.start()
  await until(
    'all nodes hold the same',
    REPAIR_MS_MAX,
    async () => (await differences(cluster.nodes).catch(() => ['not reached'])).length === 0,
    () => cluster.connectors.map(({ output }) => output).join('\n'),
  )
  const groups = [...(await contentsOf(away!))].filter(([key]) => key.startsWith('group/'))
  assert.equal(groups.length, 2_600)
  assert.equal(groups.filter(([, text]) => text.includes('tombstone')).length, 200)
  assert.equal(groups.filter(([, text]) => text.includes('changed')).length, 200)
})
