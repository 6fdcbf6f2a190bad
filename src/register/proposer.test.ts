import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import type { Outcome } from './operation.ts'

function decided(result: string): Outcome {
  return { kind: 'decided', result }
}

/** What each node has, as text. */
function textsOf(cluster: ScriptedCluster): (string | undefined)[] {
  return cluster.records.map(({ state }) => decodeText(state.value))
}

test('a create on a key nobody has seen takes one round trip, and all nodes are told that it is chosen', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const create = ann.create('x')
  cluster.roundTrip()
  assert.deepEqual(create.outcome, decided('created'))
  cluster.settle()
  for (const { accepted, promised, chosen } of cluster.records) {
    assert.deepEqual(accepted, { round: 1, proposerId: 0 })
    assert.deepEqual(promised, { round: 2, proposerId: 0 })
    assert.ok(chosen)
  }
  assert.deepEqual(textsOf(cluster), ['x', 'x', 'x'])
})

test('a fast write is not decided before its fast quorum has answered', () => {
  const cluster = new ScriptedCluster(3)
  const create = cluster.connector('ann', 11).create('x')
  cluster.deliver({ kind: 'request' })
  cluster.deliver({ nodes: [0, 1] })
  assert.equal(create.outcome, undefined)
  cluster.deliver({ nodes: [2] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('of five nodes, four decide a fast write; the fifth is not waited for', () => {
  const cluster = new ScriptedCluster(5)
  const create = cluster.connector('ann', 11).create('x')
  cluster.roundTrip({ nodes: [0, 1, 2, 3] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('each write of the same connector takes one round trip: its view is its own last write', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  for (const text of ['a', 'ab', 'abc']) {
    const append = ann.append(text.at(-1)!)
    cluster.roundTrip({ requests: ['accept'] })
    assert.deepEqual(append.outcome, decided(text))
  }
  cluster.settle()
  assert.deepEqual(cluster.records[0]?.state.generation, 3)
})

test('a split fast vote ends in a classic round: one create wins, the other finds it there', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const bob = cluster.connector('bob', 22)
  const first = ann.create('a')
  const second = bob.create('b')
  cluster.deliver({ connector: ann, nodes: [0, 1] })
  cluster.deliver({ connector: bob, nodes: [2] })
  cluster.deliver({ kind: 'request' })
  // Ann hears two yes and a no, and prepares; Bob is alone until she is through.
  cluster.settle({ connector: ann })
  assert.deepEqual(first.outcome, decided('created'))
  cluster.finish()
  assert.deepEqual(second.outcome, decided('exists: a'))
  assert.deepEqual(textsOf(cluster), ['a', 'a', 'a'])
})

test('the first connector to recover a split fast vote does so for the other one too', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const bob = cluster.connector('bob', 22)
  const first = ann.create('a')
  const second = bob.create('b')
  cluster.deliver({ connector: ann, nodes: [0, 1] })
  cluster.deliver({ connector: bob, nodes: [2] })
  cluster.deliver({ kind: 'request' })
  // Bob's classic round finds two votes for Ann's write among its promises.
  cluster.settle({ connector: bob })
  assert.deepEqual(second.outcome, decided('exists: a'))
  cluster.finish()
  assert.deepEqual(first.outcome, decided('created'))
  assert.equal(cluster.records[0]?.state.generation, 1)
})

test('a create on an existing key is answered from the refusals, in one round trip and with no read', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.settle()
  const bob = cluster.connector('bob', 22)
  const create = bob.create('b')
  cluster.roundTrip({ nodes: [0, 1] })
  assert.deepEqual(create.outcome, decided('exists: a'))
  assert.ok(bob.isIdle)
  assert.equal(cluster.records[0]?.promised.round, 2)
})

test('a change with a stale view is refused, then made on what a classic round recovers', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.settle()
  const append = cluster.connector('bob', 22).append('b')
  cluster.settle()
  assert.deepEqual(append.outcome, decided('ab'))
})

test('refusals that do not show what was chosen lead to a classic round', () => {
  const cluster = new ScriptedCluster(5)
  const ann = cluster.connector('ann', 11)
  ann.create('a')
  // Three nodes have Ann's vote, and no mark: whether it was chosen cannot be told.
  cluster.deliver({ nodes: [0, 1, 2] })
  const bob = cluster.connector('bob', 22)
  const create = bob.create('b')
  cluster.roundTrip({ connector: bob, requests: ['accept'] })
  assert.equal(create.outcome, undefined)
  assert.ok(cluster.select({ requests: ['prepare'] }).length > 0)
})

test('a delete on a key it has never seen reads first, and is refused only by what it read', () => {
  const cluster = new ScriptedCluster(3)
  const remove = cluster.connector('ann', 11).remove()
  assert.equal(remove.outcome, undefined)
  assert.equal(cluster.select({ requests: ['accept', 'prepare'] }).length, 0)
  cluster.roundTrip({ requests: ['read'] })
  assert.deepEqual(remove.outcome, decided('missing'))
})

test('a delete on a key it has never seen that exists is a read and a fast write', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11).create('a')
  cluster.settle()
  const remove = cluster.connector('bob', 22).remove()
  cluster.roundTrip({ requests: ['read'] })
  cluster.roundTrip({ requests: ['accept'] })
  assert.deepEqual(remove.outcome, decided('deleted: a'))
})

test('a refusal on a cached view is confirmed by a read: the group may be gone', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.create('a')
  cluster.settle()
  cluster.connector('bob', 22).remove()
  cluster.settle()
  const create = ann.create('again')
  assert.deepEqual(
    cluster.select().map(({ request }) => request.kind),
    ['read', 'read'],
  )
  cluster.settle()
  assert.deepEqual(create.outcome, decided('created'))
})

test('a key that was deleted and made again goes on in the same chain of generations', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  for (const operation of [() => ann.create('a'), () => ann.remove(), () => ann.create('b')]) {
    operation()
    cluster.settle()
  }
  assert.equal(cluster.records[0]?.state.generation, 3)
  assert.deepEqual(textsOf(cluster), ['b', 'b', 'b'])
})

test('a classic round waits for a classic quorum of promises, and takes no more', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const create = ann.create('a')
  cluster.roundTrip({ nodes: [0] })
  assert.equal(cluster.select({ requests: ['accept'] }).length, 0)
  cluster.roundTrip({ nodes: [1] })
  assert.equal(cluster.select({ requests: ['accept'] }).length, 3)
  cluster.roundTrip({ nodes: [0] })
  assert.equal(create.outcome, undefined)
  cluster.roundTrip({ nodes: [1] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('a prepare that meets a higher promise backs off, and comes back above it', () => {
  const cluster = new ScriptedCluster(3)
  const bob = cluster.connector('bob', 22, { suspects: [2], roundNumberFloor: 40 })
  bob.create('b')
  cluster.deliver({ connector: bob, kind: 'request' })
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const create = ann.create('a')
  cluster.roundTrip({ connector: ann })
  assert.ok(ann.isBackingOff)
  assert.equal(cluster.select({ connector: ann, kind: 'request' }).length, 0)
  ann.resume()
  const [prepare] = cluster.select({ connector: ann, requests: ['prepare'] })
  assert.deepEqual(prepare?.request, { kind: 'prepare', ballot: { round: 42, proposerId: 11 } })
  cluster.settle({ connector: ann })
  assert.deepEqual(create.outcome, decided('created'))
})

test('a promise that arrives during a backoff lets the round go on, and the end of the backoff does nothing', () => {
  const cluster = new ScriptedCluster(3)
  const bob = cluster.connector('bob', 22, { suspects: [2], roundNumberFloor: 6 })
  bob.create('b')
  cluster.deliver({ connector: bob, nodes: [0] })
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const create = ann.create('a')
  cluster.roundTrip({ connector: ann, nodes: [0, 1] })
  assert.ok(ann.isBackingOff)
  cluster.roundTrip({ connector: ann, nodes: [2] })
  ann.resume()
  assert.equal(cluster.select({ connector: ann, requests: ['prepare'] }).length, 0)
  cluster.roundTrip({ connector: ann, nodes: [1, 2], requests: ['accept'] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('a refused classic accept backs off, and its retry builds on what the other round wrote', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const bob = cluster.connector('bob', 22, { suspects: [2] })
  const first = ann.append('a')
  cluster.roundTrip({ connector: ann, requests: ['prepare'] })
  const second = bob.append('b')
  cluster.settle({ connector: bob })
  assert.deepEqual(second.outcome, decided('b'))
  cluster.settle({ connector: ann })
  assert.ok(ann.isBackingOff)
  ann.resume()
  cluster.settle({ connector: ann })
  assert.deepEqual(first.outcome, decided('ba'))
})

test('late answers of older phases only show their round numbers', () => {
  const cluster = new ScriptedCluster(3)
  const bob = cluster.connector('bob', 22, { suspects: [0], roundNumberFloor: 6 })
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const create = ann.create('a')
  cluster.deliver({ connector: ann, kind: 'request', nodes: [0, 1] })
  // The third node answers Ann's prepare with a promise to Bob, after she went on with the other two.
  bob.create('b')
  cluster.deliver({ connector: bob, nodes: [2] })
  cluster.deliver({ connector: ann, kind: 'answer' })
  cluster.roundTrip({ connector: ann, nodes: [2], requests: ['prepare'] })
  assert.equal(create.outcome, undefined)
  assert.equal(ann.memory.highestRoundNumber, 7)
  cluster.roundTrip({ connector: ann, nodes: [0, 1], requests: ['accept'] })
  assert.deepEqual(create.outcome, decided('created'))
})

test('an answer that comes twice counts once', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const create = ann.create('a')
  cluster.deliver({ kind: 'request' })
  const [answer] = cluster.select({ nodes: [0] })
  for (let i = 0; i < 3; i += 1) cluster.deliverOne(answer!)
  assert.equal(create.outcome, undefined)
})

test('after a write a node that is silent gets the mark too, one whose stream broke does not', () => {
  for (const [isBroken, marked] of [
    [false, [0, 1, 2, 3, 4]],
    [true, [0, 1, 2, 3]],
  ] as const) {
    const cluster = new ScriptedCluster(5)
    cluster.connector('ann', 11).create('a')
    if (isBroken) cluster.drop({ nodes: [4] })
    cluster.roundTrip({ nodes: [0, 1, 2, 3] })
    assert.deepEqual(
      cluster.select({ requests: ['mark'] }).map(({ node }) => node),
      marked,
    )
  }
})

test('a node whose vote at the fast ballot lost is given the chosen state', () => {
  const cluster = new ScriptedCluster(5)
  const ann = cluster.connector('ann', 11)
  const bob = cluster.connector('bob', 22)
  bob.create('b')
  cluster.deliver({ connector: bob, nodes: [4] })
  ann.create('a')
  cluster.deliver({ connector: ann, kind: 'request' })
  cluster.deliver({ connector: ann, kind: 'answer', nodes: [4] })
  cluster.deliver({ connector: ann, kind: 'answer' })
  cluster.settle({ connector: ann })
  assert.deepEqual(textsOf(cluster), ['a', 'a', 'a', 'a', 'a'])
})

test('one node alone is a cluster too', () => {
  const cluster = new ScriptedCluster(1)
  const ann = cluster.connector('ann', 11)
  const create = ann.create('a')
  cluster.roundTrip()
  assert.deepEqual(create.outcome, decided('created'))
})
