import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Counters } from '../replication/counters.ts'
import type { LinkOptions } from '../replication/links/node-link.ts'
import { NodeLink } from '../replication/links/node-link.ts'
import type { Membership } from '../rpc/messages.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { MemoryNetwork } from '../testing/memory-network.ts'
import { Epochs } from './epochs.ts'
import { Farewells } from './farewells.ts'
import { NodeDirectory } from './node-directory.ts'
import { SHIPPED } from './seams.ts'

const LOGGER = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
}

function aMembership(epoch: number, ...names: readonly string[]): Membership {
  const members = names.map((nodeId) => ({ nodeId, address: `${nodeId}:1` }))
  return { clusterId: 'c', epoch, members, tombstoneGraceMs: 3_600_000 }
}

/** Epochs over nodes that answer nothing. A test gives the claims of the nodes of the current epoch. */
function someEpochs() {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  const directory = new NodeDirectory(network.connect)
  const links = new Map<string, LinkOptions>()
  let claimCount = 0
  const farewells = new Farewells(directory, clock)
  const epochs = new Epochs({
    directory,
    farewells,
    self: 'me',
    onClaim: () => {
      claimCount += 1
    },
    operationTimeoutMs: 3_000,
    clock,
    random: () => 0.5,
    drawProposerId: () => 7,
    counters: new Counters(),
    logger: LOGGER,
    onKeyFault: () => undefined,
    onDamage: () => undefined,
    onDivergence: () => undefined,
    seams: {
      ...SHIPPED,
      newLink: (options) => {
        links.set(options.nodeId, options)
        return new NodeLink(options)
      },
    },
  })
  const claim = (nodeId: string, membership: Membership) => {
    links.get(nodeId)!.onMismatch({ nodeId, membership })
    clock.advance(0)
  }
  const close = () => {
    epochs.close()
    directory.close()
  }
  return { epochs, claim, claimCount: () => claimCount, clock, network, farewells, close }
}

test('a newer membership is followed when enough nodes of this epoch report it, and not before', () => {
  const { epochs, claim, claimCount, close } = someEpochs()
  epochs.follow(aMembership(1, 'n1', 'n2', 'n3'), false)
  const newer = aMembership(5, 'n1', 'n2', 'n4')
  claim('n1', newer)
  assert.deepEqual([epochs.current?.membership.epoch, claimCount()], [1, 1])
  // The same node again does not count as a second one.
  claim('n1', newer)
  assert.deepEqual([epochs.current?.membership.epoch, claimCount()], [1, 2])
  claim('n2', newer)
  assert.deepEqual([epochs.current?.membership.epoch, claimCount()], [5, 2])
  close()
})

test('the reports of nodes in one epoch do not count in the next one', () => {
  const { epochs, claim, claimCount, close } = someEpochs()
  epochs.follow(aMembership(1, 'n1', 'n2', 'n3'), false)
  const never = aMembership(9, 'n1', 'n2', 'n7')
  claim('n1', never)
  epochs.follow(aMembership(2, 'n1', 'n2', 'n3'), false)
  claim('n2', never)
  assert.deepEqual([epochs.current?.membership.epoch, claimCount()], [2, 2])
  close()
})

test('epochs that follow each other leave the streams of the last one alone, and a close leaves none', async () => {
  const { epochs, clock, network, close } = someEpochs()
  for (const nodeId of ['n1', 'n2', 'n3', 'n4']) network.add(`${nodeId}:1`, nodeId)
  for (let epoch = 1; epoch <= 6; epoch += 1) {
    epochs.follow(aMembership(epoch, 'n1', 'n2', epoch < 6 ? 'n3' : 'n4'), false)
    await turn()
    clock.advance(3_000)
    await turn()
  }
  assert.equal(network.counts.streams, 3)
  close()
  await turn()
  // A node that left may still be told so.
  clock.advance(2_000)
  assert.deepEqual(network.counts, { transports: 0, streams: 0, scans: 0, questions: 0, timers: 0 })
})

test('a node that has left is looked for where it was: if it was away, it is told when it comes back', () => {
  const { epochs, farewells, close } = someEpochs()
  epochs.follow(aMembership(1, 'n1', 'n2', 'n3'), false)
  assert.deepEqual([...farewells.addresses], [])
  epochs.follow(aMembership(2, 'n1', 'n2', 'n4'), false)
  assert.deepEqual([...farewells.addresses], ['n3:1'])
  close()
})

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)))
}
