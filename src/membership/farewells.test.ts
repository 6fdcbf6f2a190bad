import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { pass } from '../testing/memory-cluster.ts'
import { MemoryNetwork } from '../testing/memory-network.ts'
import { Farewells } from './farewells.ts'
import { NodeDirectory } from './node-directory.ts'

const WITHOUT = {
  clusterId: 'c',
  epoch: 2,
  members: [{ nodeId: 'n2', address: 'n2:1' }],
  tombstoneGraceMs: 3_600_000,
}
const WITH = { ...WITHOUT, epoch: 1, members: [{ nodeId: 'n1', address: 'n1:1' }] }

/** A member of a cluster, which does not know that it has left. */
function aWorld() {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  const node = network.add('n1:1', 'n1')
  node.store.transaction(() => node.store.saveMembership(WITH))
  const directory = new NodeDirectory(network.connect)
  return { clock, network, node, farewells: new Farewells(directory, clock) }
}

test('a node that is told that it has left ends, and no connection to it is left', async () => {
  const { clock, network, node, farewells } = aWorld()
  const told = farewells.tell('n1', 'n1:1', WITHOUT)
  await pass(clock, 5)
  await told
  assert.ok(!node.isThere)
  assert.deepEqual([network.counts.streams, network.counts.timers], [0, 0])
})

test('the wait for a node that does not answer, or is not reached, takes at most two seconds', async () => {
  const { clock, network, node, farewells } = aWorld()
  node.isStopped = true
  let isOver = false
  const told = farewells.tell('n1', 'n1:1', WITHOUT).finally(() => {
    isOver = true
  })
  const away = farewells.tell('n9', 'n9:1', WITHOUT)
  await pass(clock, 5)
  await away
  assert.ok(!isOver)
  await pass(clock, 2_000)
  await told
  assert.deepEqual([network.counts.streams, network.counts.timers], [0, 0])
})
