import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeText, ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import type { Outcome } from './operation.ts'

function decided(result: string): Outcome {
  return { kind: 'decided', result }
}

test('waiting operations are sent together in one accept, each on the result of the one before', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  const waiting = [ann.append('b'), ann.append('c'), ann.append('d')]
  cluster.roundTrip()
  assert.equal(cluster.select({ requests: ['accept'] }).length, 3)
  cluster.roundTrip({ requests: ['accept'] })
  assert.deepEqual(
    waiting.map(({ outcome }) => outcome),
    [decided('ab'), decided('abc'), decided('abcd')],
  )
  assert.equal(cluster.records[0]?.state.generation, 2)
})

test('a refusal in a batch is decided on the result of the operation before it and writes nothing', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  const operations = [ann.create('x'), ann.remove(), ann.remove(), ann.read(), ann.create('y'), ann.read()]
  cluster.settle()
  assert.deepEqual(
    operations.map(({ outcome }) => outcome),
    ['exists: a', 'deleted: a', 'missing', 'nothing', 'created', 'y'].map(decided),
  )
  assert.equal(cluster.records[0]?.state.generation, 2)
})

test('a refusal in a batch is not reported before the accept that confirms its base is chosen', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const first = ann.create('a')
  const second = ann.create('b')
  const third = ann.append('c')
  cluster.roundTrip()
  assert.deepEqual(first.outcome, decided('created'))
  assert.deepEqual([second.outcome, third.outcome], [undefined, undefined])
  cluster.roundTrip({ requests: ['accept'] })
  assert.deepEqual([second.outcome, third.outcome], [decided('exists: a'), decided('ac')])
})

test('after an accept that lost, each operation continues by itself: one may have happened, another not', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  const appended = ann.append('b')
  const created = ann.create('c')
  cluster.roundTrip()
  // The accept with both reaches all nodes, and every answer is lost.
  cluster.deliver({ kind: 'request', requests: ['accept'] })
  cluster.drop({ kind: 'answer' })
  const late = ann.append('d')
  cluster.finish()
  assert.deepEqual(appended.outcome, decided('ab'))
  assert.deepEqual(created.outcome, decided('exists: ab'))
  assert.deepEqual(late.outcome, decided('abd'))
  assert.equal(decodeText(cluster.records[0]?.state.value), 'abd')
})

test('an operation that arrives while a round prepares joins it', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11, { suspects: [2] })
  const first = ann.append('a')
  const second = ann.append('b')
  cluster.roundTrip({ requests: ['prepare'] })
  cluster.roundTrip({ requests: ['accept'] })
  assert.deepEqual([first.outcome, second.outcome], [decided('a'), decided('ab')])
  assert.equal(cluster.records[0]?.state.generation, 1)
})

test('an operation that arrives while an accept is in flight does not join it', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('a')
  cluster.deliver({ kind: 'request' })
  const read = ann.read()
  cluster.deliver({ kind: 'answer' })
  assert.equal(read.outcome, undefined)
  cluster.settle()
  assert.deepEqual(read.outcome, decided('a'))
})

test('a batch that a stale view lost is answered from the refusals as far as they go, and the rest goes on', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.create('a')
  cluster.settle()
  ann.read()
  const created = ann.create('x')
  const appended = ann.append('b')
  // Ann's read is under way; meanwhile Bob makes its view stale.
  cluster.deliver({ connector: ann })
  const bob = cluster.connector('bob', 22)
  bob.append('z')
  cluster.settle({ connector: bob })
  cluster.deliver({ connector: ann, kind: 'answer' })
  cluster.roundTrip({ connector: ann, requests: ['accept'] })
  assert.deepEqual(created.outcome, decided('exists: az'))
  assert.equal(appended.outcome, undefined)
  cluster.finish()
  assert.deepEqual(appended.outcome, decided('azb'))
})

test('a hundred waiting operations cost one more accept, not a hundred', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.append('.')
  const waiting = Array.from({ length: 100 }, () => ann.append('.'))
  cluster.settle()
  assert.deepEqual(waiting.at(-1)?.outcome, decided('.'.repeat(101)))
  const accepts = cluster.events.filter(
    (event) => event.kind === 'handled' && event.request.kind === 'accept',
  )
  assert.equal(accepts.length, 6)
})
