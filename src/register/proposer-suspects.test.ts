import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import type { Outcome } from './operation.ts'

function decided(result: string): Outcome {
  return { kind: 'decided', result }
}

/** Three nodes, of which the last is down: Ann knows it, and has written the key once, in a classic round. */
function aLedKey() {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const create = ann.create('a')
  cluster.roundTrip({ nodes: [0, 1] })
  cluster.roundTrip({ nodes: [0, 1] })
  assert.deepEqual(create.outcome, decided('created'))
  cluster.deliver({ requests: ['mark'], nodes: [0, 1] })
  cluster.messages = []
  return { cluster, ann }
}

test('with too few nodes for a fast write none is tried: the classic round starts at once', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11, { suspects: [2] }).create('a')
  assert.deepEqual(
    cluster.select().map(({ request }) => request.kind),
    ['prepare', 'prepare', 'prepare'],
  )
})

test('of five nodes, one suspect does not stop fast writes, and two do', () => {
  for (const [suspects, first] of [
    [[4], 'accept'],
    [[3, 4], 'prepare'],
  ] as const) {
    const cluster = new ScriptedCluster(5)
    cluster.connector('ann', 11, { suspects }).create('a')
    assert.equal(cluster.messages[0]?.request.kind, first)
  }
})

test('a classic round with a suspect node leaves the key led by its connector', () => {
  const { cluster, ann } = aLedKey()
  assert.deepEqual(cluster.records[0]?.promised, { round: 2, proposerId: 11 })
  assert.deepEqual(ann.memory.view?.next, { round: 2, proposerId: 11 })
})

test('a led key is written again and again without a prepare, in one round trip of two nodes', () => {
  const { cluster, ann } = aLedKey()
  for (const text of ['ab', 'abc', 'abcd']) {
    const append = ann.append(text.at(-1)!)
    cluster.roundTrip({ nodes: [0, 1], requests: ['accept'] })
    assert.deepEqual(append.outcome, decided(text))
    assert.equal(cluster.select({ requests: ['prepare'] }).length, 0)
  }
})

test('a read between the writes leaves the key led', () => {
  const { cluster, ann } = aLedKey()
  const read = ann.read()
  cluster.roundTrip({ nodes: [0, 1], requests: ['read'] })
  assert.deepEqual(read.outcome, decided('a'))
  const append = ann.append('b')
  cluster.roundTrip({ nodes: [0, 1], requests: ['accept'] })
  assert.deepEqual(append.outcome, decided('ab'))
})

test('a connector gives up the lead when a read shows that another one has prepared the key', () => {
  const { cluster, ann } = aLedKey()
  cluster.connector('bob', 22, { suspects: [2], roundNumberFloor: 6 }).append('b')
  cluster.deliver({ nodes: [0], requests: ['prepare'] })
  cluster.messages = []
  ann.read()
  cluster.roundTrip({ nodes: [0, 1], requests: ['read'] })
  assert.equal(ann.memory.view, undefined)
})

test('once all nodes are up again, the next led write hands the key back to fast writes', () => {
  const { cluster, ann } = aLedKey()
  ann.suspect(2, false)
  const led = ann.append('b')
  cluster.roundTrip()
  assert.deepEqual(led.outcome, decided('ab'))
  cluster.settle()
  assert.deepEqual(cluster.records[2]?.promised, { round: 3, proposerId: 0 })
  const fast = cluster.connector('bob', 22).append('c')
  cluster.settle()
  assert.deepEqual(fast.outcome, decided('abc'))
  const own = ann.append('d')
  cluster.finish()
  assert.deepEqual(own.outcome, decided('abcd'))
})

test('another connector can take over a led key: it prepares above the lead, and the leader notices', () => {
  const { cluster, ann } = aLedKey()
  const bob = cluster.connector('bob', 22, { suspects: [2] })
  const foreign = bob.append('b')
  cluster.settle({ connector: bob, nodes: [0, 1] })
  while (foreign.outcome === undefined) {
    bob.resume()
    cluster.settle({ connector: bob, nodes: [0, 1] })
  }
  const own = ann.append('c')
  cluster.settle({ nodes: [0, 1] })
  assert.deepEqual(own.outcome, decided('abc'))
})

test('a node that turns suspect during a fast write is not waited for: the classic round starts', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const create = ann.create('a')
  cluster.roundTrip({ nodes: [0, 1] })
  assert.equal(create.outcome, undefined)
  ann.suspect(2)
  cluster.roundTrip({ nodes: [0, 1], requests: ['prepare'] })
  cluster.roundTrip({ nodes: [0, 1], requests: ['accept'] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('a node that turns suspect during a read is replaced by the one that was not asked', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const read = ann.read()
  cluster.roundTrip({ nodes: [0] })
  ann.suspect(1)
  cluster.roundTrip({ nodes: [2] })
  assert.deepEqual(read.outcome, decided('nothing'))
})

test('a read does not ask a suspect node first', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11, { suspects: [0] }).read()
  assert.deepEqual(
    cluster.messages.map(({ node }) => node),
    [1, 2],
  )
})

test('without a quorum of nodes that are up, slow ones are waited for: slow is better than never', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [1, 2] })
  const create = ann.create('a')
  cluster.roundTrip({ nodes: [0] })
  assert.ok(!ann.isBackingOff)
  cluster.roundTrip({ nodes: [2], requests: ['prepare'] })
  cluster.roundTrip({ nodes: [0, 2], requests: ['accept'] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('with no node reachable the round backs off, longer each time, and goes on when they are back', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [0, 1, 2] })
  const create = ann.create('a')
  for (let retries = 1; retries <= 3; retries += 1) {
    cluster.drop()
    const backoff = cluster.events.findLast(({ kind }) => kind === 'backoff')
    assert.deepEqual(backoff, { kind: 'backoff', connector: 'ann', retries })
    ann.resume()
  }
  cluster.settle()
  assert.deepEqual(create.outcome, decided('created'))
})

test('a suspect node that answers in time counts like any other', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const create = ann.create('a')
  cluster.roundTrip({ nodes: [0, 2] })
  cluster.roundTrip({ nodes: [0, 2] })
  assert.deepEqual(create.outcome, decided('created'))
})
