import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counters } from '../replication/counters.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { pass } from '../testing/memory-cluster.ts'
import { MemoryNetwork } from '../testing/memory-network.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'

const HOSTS = ['n1:1', 'n2:1', 'n3:1']

/** A connector that follows a cluster of three nodes in memory, which was born with these settings. */
async function aFollower(t: { after: (end: () => void) => void }, given: Partial<ClusterOptions> = {}) {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  const hosts = HOSTS.map((address) => network.add(address, address.slice(0, 2)))
  const lines: string[] = []
  const note = (fields: object, text: string) => lines.push(`${JSON.stringify(fields)} ${text}`)
  const cluster = new Cluster({
    hosts: HOSTS,
    operationTimeoutMs: 3_000,
    tombstoneGraceMs: 3_600_000,
    replaceAfterMs: 60_000,
    clusterId: undefined,
    connect: network.connect,
    clock,
    random: () => 0.5,
    drawProposerId: () => 7,
    drawId: () => 'born',
    drawSecret: () => '00c0ffee00c0ffee',
    counters: new Counters(),
    logger: { debug: () => undefined, info: () => undefined, warn: note, error: note } as never,
    onKeyFault: () => undefined,
    onDamage: () => undefined,
    onDivergence: () => undefined,
    ...given,
  })
  const running = cluster.run()
  t.after(() => cluster.close())
  for (let ms = 0; ms < 3_000 && !cluster.isReady(); ms += 50) await pass(clock, 50)
  assert.ok(cluster.isReady())
  return { cluster, clock, network, hosts, lines, running }
}

test('a closed cluster ends, and leaves no connection, no stream and no timer', async (t) => {
  const { cluster, clock, network, running } = await aFollower(t)
  assert.equal(network.counts.transports, 3)
  cluster.close()
  await running
  await pass(clock, 5)
  assert.deepEqual(network.counts, { transports: 0, streams: 0, scans: 0, questions: 0, timers: 0 })
  assert.equal(cluster.isReady(), false)
})

test('new certificates are shown to all nodes, and to the other addresses, by new connections', async (t) => {
  const { cluster, clock, network } = await aFollower(t)
  network.add('other:1', 'other')
  const described = cluster.describeNode('other:1', 1_000)
  await pass(clock, 5)
  await described
  const before = network.connectCount
  let isOver = false
  const renewed = cluster.renewConnections().then(() => {
    isOver = true
  })
  await pass(clock, 2_000)
  await renewed
  assert.deepEqual([isOver, network.connectCount - before], [true, 4])
  await pass(clock, 50)
  assert.ok(cluster.isReady())
  assert.deepEqual([network.counts.transports, network.counts.streams], [4, 3], 'the old ones are closed')
})

test('nodes get their new connections one after the other: a node that hangs holds up the others', async (t) => {
  const { cluster, clock, network, hosts } = await aFollower(t)
  // A batch without an answer, so that the link cannot move yet.
  hosts[0]!.isStopped = true
  void cluster.client!.read('group/g', () => undefined)
  await pass(clock, 2)
  const before = network.connectCount
  const renewed = cluster.renewConnections()
  await pass(clock, 2)
  assert.equal(network.connectCount - before, 1)
  hosts[0]!.isStopped = false
  await pass(clock, 5_000)
  await renewed
  assert.ok(network.connectCount - before >= 3)
})

test('a short grace time of the cluster makes operations shorter than the setting, and says so', async (t) => {
  const { cluster, clock, hosts, lines } = await aFollower(t, { tombstoneGraceMs: 5_000 })
  assert.equal(cluster.operationTimeoutMs, 500)
  assert.equal(lines.filter((line) => /"timeoutSeconds":0\.5,"setSeconds":3/.test(line)).length, 1)
  for (const host of hosts) host.isStopped = true
  let isOver = false
  void cluster
    .client!.read('group/g', () => undefined)
    .then(() => {
      isOver = true
    })
  await pass(clock, 499)
  assert.equal(isOver, false)
  await pass(clock, 2)
  assert.equal(isOver, true)
})

test('a node may take a bounded time to describe itself', async (t) => {
  const { cluster, clock, hosts } = await aFollower(t)
  hosts[1]!.isStopped = true
  let isOver = false
  const described = cluster.describeNode('n2:1', 700).finally(() => {
    isOver = true
  })
  described.catch(() => undefined)
  await pass(clock, 690)
  assert.equal(isOver, false)
  await pass(clock, 20)
  await assert.rejects(described)
})
