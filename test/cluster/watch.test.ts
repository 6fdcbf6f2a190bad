/** Watches of groups, through the death of connectors and nodes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startCommand } from './command.ts'
import { leaveNothing } from './leave-nothing.ts'
import { clusterOfProcesses } from './shared-cluster.ts'
import { until } from './waiting.ts'
import { WatchingClient } from './watching-client.ts'

leaveNothing()

const aCluster = clusterOfProcesses

const WATCHERS = 20
const SEEN_MS = 30_000

async function post(url: string, groupId: string): Promise<void> {
  const answer = await fetch(`${url}/v1/group`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ groupId }),
  })
  assert.equal(answer.status, 201)
}

function namesOf(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(3, '0')}`)
}

test('a node is killed and comes back: nobody who watches notices', async (t) => {
  const cluster = await aCluster()
  const client = new WatchingClient(t, [cluster.connectors[0]!.url], 'node/')
  await until('it has the list', SEEN_MS, () => client.isSynced)
  const names = namesOf(30, 'node/')
  for (const [index, name] of names.entries()) {
    await post(cluster.connectors[1]!.url, name)
    if (index === 5) await cluster.nodes[2]!.end('SIGKILL')
    if (index === 20) await cluster.nodes[2]!.restart()
  }
  await until('it has seen all groups', SEEN_MS, () => client.held.size === names.length)
  assert.deepEqual(client.resets, [])
})

test('cohort watch prints a line for each event, and goes on at another connector', async () => {
  const cluster = await aCluster()
  const [second, first] = cluster.connectors.map(({ url }) => url)
  await using command = startCommand(
    'watch',
    ...['--url', first!, '--url', second!, '--prefix', 'command/', '--initial'],
  )
  await command.says(/^synced/m, SEEN_MS)
  await post(second!, 'command/a')
  await command.says(/^group {10}command\/a {2}version 1$/m, SEEN_MS)
  await cluster.connectors[1]!.end('SIGTERM')
  await fetch(`${second}/v1/group/command%2Fa`, { method: 'DELETE' })
  await command.says(/^group-deleted {2}command\/a$/m, SEEN_MS)
  assert.equal(await command.end('SIGINT'), 130)
})

test('a connector is killed under its watchers: they go on elsewhere, and miss nothing', async (t) => {
  const cluster = await aCluster()
  const urls = cluster.connectors.map(({ url }) => url)
  const clients = Array.from({ length: WATCHERS }, () => new WatchingClient(t, urls, 'killed/'))
  await until('all have the list', SEEN_MS, () => clients.every(({ isSynced }) => isSynced))
  const names = namesOf(60, 'killed/')
  await post(cluster.connectors[1]!.url, names[0]!)
  await until('all have seen the first group', SEEN_MS, () => clients.every(({ held }) => held.size === 1))
  let next = 1
  const creating = Array.from({ length: 4 }, async () => {
    while (next < names.length) {
      const name = names[next]!
      next += 1
      await post(cluster.connectors[1]!.url, name)
      if (name === names[20]) await cluster.connectors[0]!.end('SIGKILL')
    }
  })
  await Promise.all(creating)
  const lacking = () => clients.filter(({ held }) => held.size < names.length)
  await until(
    'all have seen all groups',
    SEEN_MS,
    () => lacking().length === 0,
    () => `${lacking().length} lack groups`,
  )
  for (const { held, resets } of clients) {
    assert.deepEqual([...held.keys()].sort(), names)
    assert.deepEqual(resets, [])
  }
})
