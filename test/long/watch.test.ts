/** Watches as users break them: many at once, behind a proxy, and with a node that was away for long. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { CHANGES_KEPT } from '../../src/node/change-log.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { call, create } from '../cluster/load.ts'
import { LocalCluster } from '../cluster/local-cluster.ts'
import { until, within } from '../cluster/waiting.ts'
import { WatchingClient } from '../cluster/watching-client.ts'

leaveNothing()

/** The limit of a wait, on a machine that is busy with others. */
const SEEN_MS = 120_000

function namesOf(count: number, prefix: string): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(6, '0')}`)
}

test('a connector is killed under 100 watchers, which go on at another one and miss nothing', async (t) => {
  await using cluster = await LocalCluster.start({ connectors: 2 })
  const [first, second] = cluster.connectors
  const urls = [first!.url, second!.url]
  const clients = Array.from({ length: 100 }, () => new WatchingClient(t, urls, undefined))
  await until('all have the list', SEEN_MS, () => clients.every(({ isSynced }) => isSynced))
  const names = namesOf(400, 'killed/')
  await create(second!.url, names[0]!)
  await until('all have seen the first group', SEEN_MS, () => clients.every(({ held }) => held.size === 1))
  for (const [index, name] of names.entries()) {
    if (index === 150) await first!.end('SIGKILL')
    if (index > 0) assert.equal((await create(second!.url, name)).status, 201)
  }
  const lacking = () => clients.filter(({ held }) => held.size < names.length)
  await until(
    'all have seen all groups',
    SEEN_MS,
    () => lacking().length === 0,
    () => `${lacking().length} lack groups`,
  )
  for (const { held, resets, notes } of clients) {
    assert.deepEqual([...held.keys()].sort(), names)
    assert.deepEqual(resets, [])
    assert.ok(notes.length > 0, 'it was on the connector that was killed')
  }
})

/** A proxy that resets a connection on which nothing was sent for so long, as many in front of APIs do. */
async function idleProxy(t: TestContext, targetPort: number, idleMs: number) {
  let cutCount = 0
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    for (const [from, to] of [
      [client, target],
      [target, client],
    ] as const) {
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
      from.pipe(to)
    }
    // The answer of a watch is what keeps the connection alive: its client sends nothing.
    client.setTimeout(idleMs, () => {
      cutCount += 1
      client.resetAndDestroy()
    })
  }).listen(0, '127.0.0.1')
  await within(SEEN_MS, once(server, 'listening'), 'the proxy listens')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, cutCount: () => cutCount }
}

test('a watch without news outlives a proxy that cuts connections after 25 s of silence', async (t) => {
  await using cluster = await LocalCluster.start()
  const [connector] = cluster.connectors
  const proxy = await idleProxy(t, connector!.port, 25_000)
  const silent = connect(Number(new URL(proxy.url).port), '127.0.0.1')
  silent.on('error', () => undefined)
  const client = new WatchingClient(t, [proxy.url], undefined)
  await until('it has the list', SEEN_MS, () => client.isSynced)
  await sleep(70_000)
  assert.equal(proxy.cutCount(), 1, 'the proxy cuts, but only the connection without a watch')
  await create(connector!.url, 'news')
  await until('it is told', SEEN_MS, () => client.held.size === 1)
  assert.deepEqual([client.notes, client.resets], [[], []])
})

test('a node is unreachable for more changes than it remembers, then another one dies: nothing is missed', async (t) => {
  await using cluster = await LocalCluster.start({ connectors: 2, isProxied: true })
  const [watched, other] = cluster.connectors
  const client = new WatchingClient(t, [watched!.url], undefined)
  await until('it has the list', SEEN_MS, () => client.isSynced)
  cluster.links[0]![2]!.cut()
  const names = namesOf(CHANGES_KEPT + 5_000, 'away/')
  for (let first = 0; first < names.length; first += 500) {
    let missing = names.slice(first, first + 500)
    while (missing.length > 0) {
      const body = { create: missing.map((groupId) => ({ groupId })) }
      const reply = await call('POST', `${other!.url}/v1/groups:batch`, body, 60_000)
      const results = reply.body.create as readonly { groupId: string; status: number }[] | undefined
      // What was not answered may exist: then it is refused, which is as good.
      const isDone = (status: number) => status === 201 || status === 409
      missing = results?.filter(({ status }) => !isDone(status)).map(({ groupId }) => groupId) ?? missing
    }
  }
  cluster.links[0]![2]!.heal()
  await cluster.nodes[0]!.end('SIGKILL')
  const last = namesOf(30, 'last/')
  for (const name of last)
    await until(`${name} is created`, SEEN_MS, async () =>
      [201, 409].includes((await create(other!.url, name)).status),
    )
  const all = names.length + last.length
  await until(
    'it has all groups',
    SEEN_MS,
    () => client.held.size === all,
    () => `${client.held.size} of ${all}, resets: ${client.resets.join()}`,
  )
  assert.deepEqual([...client.held.keys()].sort(), [...names, ...last].sort())
})
