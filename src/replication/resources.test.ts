/**
 * The resources of links and clients: the same after any amount of work as before, and none after they are
 * closed.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '../process/clock.ts'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { quorumsOf } from '../register/quorum.ts'
import { RULES } from '../register/rules.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import { LyingNode } from '../testing/lying-node.ts'
import { aClient, aCluster, pass, TIMEOUT_MS, write } from '../testing/memory-cluster.ts'
import {
  assertNothingLeft,
  assertSameCounts,
  processCounts,
  type ResourceCounts,
} from '../testing/resource-counts.ts'
import { ask } from './links/ask.ts'
import { LINK_LIMITS } from './links/link-limits.ts'
import { NodeLink } from './links/node-link.ts'
import { RegisterClient } from './register-client.ts'

type Cluster = Awaited<ReturnType<typeof aCluster>>

function countsOf({ clock, client, nodes }: Pick<Cluster, 'clock' | 'client' | 'nodes'>): ResourceCounts {
  const load = (pick: (load: NodeLink['load']) => number) =>
    client.links.reduce((sum, link) => sum + pick(link.load), 0)
  return {
    timers: clock.taskCount,
    streams: nodes.reduce((sum, { streamCount }) => sum + streamCount, 0),
    operations: client.pendingCount,
    waiting: load(({ waiting }) => waiting),
    'waiting bytes': load(({ waitingBytes }) => waitingBytes),
    'batches in flight': load(({ batchesInFlight }) => batchesInFlight),
  }
}

/** As much as before; of timers at most two for each link, a heartbeat and a watch over what is in flight. */
function assertAsBefore(
  { timers: _before, ...before }: ResourceCounts,
  { timers, ...after }: ResourceCounts,
): void {
  assertSameCounts(before, after)
  assert.ok(timers! <= 6, `${timers} timers`)
}

/**
 * Operations of all kinds: refused, read, settled, lost with a stream, out of time; and background requests.
 */
async function work(cluster: Cluster): Promise<void> {
  const { clock, client, nodes } = cluster
  const operations: Promise<unknown>[] = []
  for (let turn = 0; turn < 40; turn += 1) {
    const key = `k${turn % 7}`
    if (turn % 10 === 3) {
      for (const { records } of nodes) {
        const record = records.get(key) ?? EMPTY_RECORD
        records.set(key, { ...record, promised: { round: record.promised.round + 5, proposerId: 3 } })
      }
    }
    operations.push(
      write(client, key),
      client.read(key, (value) => value),
      client.settle(key),
    )
    for (const link of client.links) operations.push(ask(link, key, { kind: 'read' }))
    if (turn % 13 === 12) nodes[turn % 3]!.endStream()
    await pass(clock, turn % 5)
  }
  const [stopped, other] = [nodes[0]!, nodes[1]!]
  for (const node of [stopped, other]) node.isManual = true
  operations.push(
    write(client, 'out of time'),
    client.read('out of time', (value) => value),
  )
  await pass(clock, TIMEOUT_MS + 50)
  for (const node of [stopped, other]) {
    node.isManual = false
    for (const deliver of node.answers.splice(0)) deliver()
  }
  await Promise.all(operations)
  await pass(clock, 1_500)
}

test('a client and its links hold as much after any amount of work as before, and nothing after they are closed', async () => {
  const cluster = await aCluster()
  await pass(cluster.clock, 1_500)
  const before = countsOf(cluster)
  for (let round = 0; round < 3; round += 1) {
    await work(cluster)
    assertAsBefore(before, countsOf(cluster))
  }
  cluster.client.close()
  await pass(cluster.clock, 500)
  assertSameCounts({}, countsOf(cluster))
})

test('a client that is retired while much is under way leaves nothing but its successor', async () => {
  const cluster = await aCluster()
  const { clock, nodes, client } = cluster
  await pass(clock, 1_500)
  const before = countsOf(cluster)
  for (const node of nodes) node.isManual = true
  const operations = Array.from({ length: 20 }, (_, i) => write(client, `k${i}`))
  clock.advance(0)
  for (const node of nodes) {
    node.isManual = false
    node.answers.splice(0)
  }
  const successor = aClient(clock, nodes, 8)
  client.retire(successor)
  await pass(clock, 2_000)
  for (const outcome of await Promise.all(operations)) assert.equal(outcome.kind, 'decided')
  assertAsBefore(before, countsOf({ clock, nodes, client: successor }))
  assert.equal(client.pendingCount, 0)
})

test('sockets, timers and open files are the same after clients on real connections as before, also with a node that lies', async (t) => {
  const nodes = await Promise.all(['n0', 'n1', 'n2'].map((nodeId) => LyingNode.start(t, nodeId)))
  nodes[2]!.lie = { exchange: ({ send }) => send(Buffer.from('nonsense')) }
  const counts = () => ({
    ...processCounts(),
    streams: nodes.reduce((sum, { streamCount }) => sum + streamCount, 0),
  })
  await assertNothingLeft(counts, async () => {
    const transports = nodes.map(({ address }) => connectGrpc(address))
    const client = new RegisterClient(
      {
        drawProposerId: () => 7,
        quorums: quorumsOf(3),
        rules: RULES,
        clock: systemClock,
        random: Math.random,
        operationTimeoutMs: 2_000,
        viewCacheBytesMax: 100_000,
        viewAgeMsMax: 10_000,
      },
      (index, onChange) =>
        new NodeLink({
          transport: () => transports[index]!,
          nodeId: `n${index}`,
          membership: undefined,
          clock: systemClock,
          limits: { ...LINK_LIMITS, reopenMs: 5, malformedReopenMsMax: 10 },
          onChange,
          onMismatch: () => {},
        }),
    )
    const keys = Array.from({ length: 50 }, (_, index) => `group/${index}`)
    for (const key of keys) await client.read(key, (value) => value)
    await Promise.all(keys.map((key) => write(client, key)))
    client.close()
    for (const transport of transports) transport.close()
  })
})
