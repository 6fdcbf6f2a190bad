import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import { EMPTY_RECORD } from './acceptor.ts'
import { compareBallots } from './ballot.ts'

test('an operation that needs a round gets one, with a view of the key as without', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  ann.create('a')
  cluster.settle()
  const round = ann.round()
  assert.deepEqual(
    cluster.messages.map(({ request }) => request.kind),
    ['prepare', 'prepare', 'prepare'],
  )
  cluster.finish()
  assert.deepEqual(round.outcome, { kind: 'decided', result: 'a' })
  for (const { state, accepted } of cluster.records) {
    assert.equal(state.generation, 1, 'nothing was written anew')
    assert.deepEqual(accepted, { round: 3, proposerId: 11 })
  }
})

test('a stub that ignores the chosen state has it after a round, whatever it has promised', () => {
  const cluster = new ScriptedCluster(3)
  cluster.connector('ann', 11, { suspects: [0] }).create('a')
  cluster.drop({ nodes: [0] })
  cluster.finish()
  const promised = { round: 9, proposerId: 33 }
  cluster.records[0] = { ...EMPTY_RECORD, promised, isStub: true }
  const round = cluster.connector('bob', 22).round()
  cluster.finish()
  assert.deepEqual(round.outcome, { kind: 'decided', result: 'a' })
  const [stub, other] = cluster.records
  assert.deepEqual([stub!.accepted, stub!.state], [other!.accepted, other!.state])
  assert.ok(!stub!.isStub && compareBallots(stub!.accepted!, promised) > 0)
})

test('operations that wait while a round is under way may join it, and their changes are written', () => {
  const cluster = new ScriptedCluster(3)
  const ann = cluster.connector('ann', 11)
  const round = ann.round()
  const create = ann.create('a')
  cluster.finish()
  assert.deepEqual(round.outcome, { kind: 'decided', result: 'nothing' })
  assert.deepEqual(create.outcome, { kind: 'decided', result: 'created' })
})
