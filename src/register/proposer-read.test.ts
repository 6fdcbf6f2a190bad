import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import type { Outcome } from './operation.ts'

function decided(result: string): Outcome {
  return { kind: 'decided', result }
}

test('a read of a marked state asks two of three nodes and takes one round trip', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.settle()
  const read = cluster.connector('bob', 22).read()
  assert.equal(cluster.messages.length, 2)
  cluster.roundTrip()
  assert.deepEqual(read.outcome, decided('a'))
})

test('a read does not look at what is remembered of its key, also beside another read', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.create('a')
  cluster.settle()
  const seen: (string | undefined)[] = []
  const look = (text: string | undefined) => {
    seen.push(text)
    return { result: 'seen' }
  }
  cluster.connector('bob', 22).append('b')
  cluster.settle()
  const reads = ['one', 'two'].map((name) => ann.submit(name, look, { isRead: true }))
  assert.deepEqual(seen, [])
  cluster.settle()
  assert.deepEqual(seen, ['ab', 'ab'])
  assert.deepEqual(
    reads.map(({ outcome }) => outcome),
    [decided('seen'), decided('seen')],
  )
})

test('a read of an unmarked fast write asks the third node too, and is then sure', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.roundTrip()
  cluster.drop({ requests: ['mark'] })
  const read = cluster.connector('bob', 22).read()
  cluster.roundTrip()
  assert.equal(read.outcome, undefined)
  assert.deepEqual(
    cluster.select().map(({ node, request }) => [node, request.kind]),
    [[2, 'read']],
  )
  cluster.roundTrip()
  assert.deepEqual(read.outcome, decided('a'))
})

test('a read of an unmarked classic write is sure with two equal answers', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11, { suspects: [2] }).create('a')
  cluster.roundTrip({ nodes: [0, 1] })
  cluster.roundTrip({ nodes: [0, 1] })
  cluster.drop({ requests: ['mark'] })
  const read = cluster.connector('bob', 22).read()
  cluster.roundTrip({ requests: ['read'] })
  assert.deepEqual(read.outcome, decided('a'))
})

test('reads start at the node whose turn it is', () => {
  for (const [turn, nodes] of [
    [0, [0, 1]],
    [1, [1, 2]],
    [2, [0, 2]],
    [5, [0, 2]],
  ] as const) {
    const cluster = new ScriptedCluster(3)
    cluster.connector('ann', 11, { turn }).read()
    assert.deepEqual(cluster.messages.map(({ node }) => node).sort(), nodes)
  }
})

test('a read of a key nobody wrote is sure with two empty answers', () => {
  const cluster = new ScriptedCluster(3)
  const read = cluster.connector('ann', 11).read()
  cluster.roundTrip()
  assert.deepEqual(read.outcome, decided('nothing'))
})

test('a read that all answers leave in doubt runs a classic round, which decides it for all later reads', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.deliver({ kind: 'request', nodes: [0] })
  cluster.drop()
  const bob = cluster.connector('bob', 22)
  const read = bob.read()
  cluster.roundTrip({ requests: ['read'] })
  cluster.roundTrip({ requests: ['read'] })
  assert.equal(read.outcome, undefined)
  assert.equal(cluster.select({ connector: bob, requests: ['prepare'] }).length, 3)
  cluster.settle()
  assert.deepEqual(read.outcome, decided('a'))
  // It proposed what was there: no generation of its own.
  for (const { state, chosen } of cluster.records) assert.deepEqual([state.generation, chosen], [1, true])
})

test('a doubtful vote that the classic round does not choose is never read afterwards', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const create = ann.create('a')
  cluster.deliver({ kind: 'request', nodes: [0] })
  cluster.drop({ kind: 'request', connector: ann })
  cluster.drop({ connector: ann })
  // Node 1 is not heard of: the round recovers nothing from the other two.
  const read = cluster.connector('bob', 22, { suspects: [0], turn: 1 }).read()
  cluster.settle({ nodes: [1, 2] })
  assert.deepEqual(read.outcome, decided('nothing'))
  cluster.finish()
  assert.deepEqual(create.outcome, decided('created'))
})

test('a read gives what it found to the nodes that lack it', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [0] })
  ann.create('a')
  for (let trips = 0; trips < 3; trips += 1) cluster.roundTrip({ nodes: [1, 2] })
  cluster.drop()
  assert.equal(cluster.records[0]?.accepted, undefined)
  cluster.connector('bob', 22).read()
  cluster.settle()
  const [first, second] = cluster.records
  assert.deepEqual([decodeText(first?.state.value), first?.chosen], ['a', true])
  assert.deepEqual(first?.accepted, second?.accepted)
})

test('a read gives the chosen state to a node whose vote at the same fast ballot lost', () => {
  const cluster = new ScriptedCluster(5)
  cluster.connector('bob', 22).create('b')
  cluster.deliver({ nodes: [4], kind: 'request' })
  cluster.drop()
  cluster.connector('ann', 11).create('a')
  cluster.roundTrip({ nodes: [0, 1, 2, 3], requests: ['accept'] })
  cluster.deliver({ requests: ['mark'] })
  cluster.messages = []
  assert.equal(decodeText(cluster.records[4]?.state.value), 'b')
  cluster.connector('cat', 33, { turn: 2 }).read()
  cluster.settle()
  assert.equal(decodeText(cluster.records[4]?.state.value), 'a')
})

test('a write after a read takes one round trip: the read is its view', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.settle()
  const bob = cluster.connector('bob', 22)
  bob.read()
  cluster.settle()
  const append = bob.append('b')
  cluster.roundTrip()
  assert.deepEqual(append.outcome, decided('ab'))
})

test('a write that reads a key led by another connector prepares at once, above that promise', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11, { suspects: [2] }).create('a')
  cluster.settle()
  const bob = cluster.connector('bob', 22)
  const remove = bob.remove()
  cluster.roundTrip({ requests: ['read'] })
  assert.deepEqual(
    cluster.select({ nodes: [0], kind: 'request' }).map(({ request }) => request),
    [{ kind: 'prepare', ballot: { round: 3, proposerId: 22 } }],
  )
  cluster.settle()
  assert.deepEqual(remove.outcome, decided('deleted: a'))
})

test('reads that are lost are asked again after a backoff', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const read = ann.read()
  cluster.drop()
  cluster.drop()
  assert.ok(ann.isBackingOff)
  ann.resume()
  cluster.settle()
  assert.deepEqual(read.outcome, decided('nothing'))
})

test('without a quorum of nodes that are up, a read asks all suspect nodes at once: any of them may answer', () => {
  const cluster = new ScriptedCluster(3)
  const read = cluster.connector('ann', 11, { suspects: [0, 1, 2] }).read()
  assert.deepEqual(
    cluster.messages.map(({ node }) => node),
    [0, 1, 2],
  )
  // The first one stays silent for ever.
  cluster.roundTrip({ nodes: [1, 2] })
  assert.deepEqual(read.outcome, decided('nothing'))
})
