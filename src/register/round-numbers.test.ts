import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ScriptedCluster } from '../../test/golden/scripted-cluster.ts'
import { EMPTY_RECORD } from './acceptor.ts'
import { type Ballot, PLAUSIBLE_ROUND_MAX, ROUND_MAX } from './ballot.ts'
import { quorumsOf, unanimousQuorums } from './quorum.ts'
import { RoundNumbers } from './round-numbers.ts'
import { GENERATION_MAX } from './state.ts'

function promised(round: number): Ballot {
  return { round, proposerId: 3 }
}

test('the next round number is above every plausible promise', () => {
  const numbers = new RoundNumbers(quorumsOf(3), 4)
  numbers.notePromise(0, 9)
  numbers.notePromise(1, 7)
  assert.equal(numbers.draw(), 10)
  numbers.noteOwn(promised(11))
  assert.deepEqual([numbers.draw(), numbers.highest], [12, 12])
  numbers.notePromise(2, PLAUSIBLE_ROUND_MAX)
  assert.equal(numbers.draw(), PLAUSIBLE_ROUND_MAX + 1)
})

test('an implausible promise is exceeded only where there is no classic quorum without its node', () => {
  const numbers = new RoundNumbers(quorumsOf(3), 4)
  numbers.notePromise(0, PLAUSIBLE_ROUND_MAX + 100)
  assert.equal(numbers.draw(), 5, 'two nodes are a quorum')
  numbers.notePromise(1, PLAUSIBLE_ROUND_MAX + 50)
  assert.equal(numbers.draw(), PLAUSIBLE_ROUND_MAX + 51, 'the lower one of two is enough')
  const ofAll = new RoundNumbers(unanimousQuorums(3), 4)
  ofAll.notePromise(0, PLAUSIBLE_ROUND_MAX + 100)
  assert.equal(ofAll.draw(), PLAUSIBLE_ROUND_MAX + 101)
})

test('there is no round number whose accept could promise no further one', () => {
  const numbers = new RoundNumbers(quorumsOf(3), ROUND_MAX - 2)
  assert.equal(numbers.draw(), ROUND_MAX - 1)
  assert.equal(numbers.draw(), undefined)
  assert.equal(numbers.highest, ROUND_MAX - 1, 'what was not used is not remembered')
})

/** A key of which some nodes have promised a round number. */
function aKey(round: number, nodes: readonly number[]) {
  const cluster = new ScriptedCluster(3)
  for (const node of nodes) cluster.records[node] = { ...EMPTY_RECORD, promised: promised(round) }
  return cluster
}

for (const round of [ROUND_MAX - 1, ROUND_MAX]) {
  test(`a key of which all nodes have promised ${round === ROUND_MAX ? 'the highest' : 'the last usable'} round number cannot be written, and is read`, () => {
    const cluster = aKey(round, [0, 1, 2])
    const ann = cluster.connector('ann', 11)
    const created = ann.create('a')
    cluster.finish()
    assert.deepEqual(created.outcome, { kind: 'not_applied', fault: 'exhausted' })
    const read = ann.read()
    cluster.finish()
    assert.deepEqual(read.outcome, { kind: 'decided', result: 'nothing' })
    const settled = ann.round()
    cluster.finish()
    assert.deepEqual(settled.outcome, { kind: 'not_applied', fault: 'exhausted' })
    assert.ok(ann.isIdle)
    assert.ok(ann.memory.highestRoundNumber <= ROUND_MAX)
  })
}

test('with such a promise on two of three nodes, a vote that the third has given is unknown at once', () => {
  const cluster = aKey(ROUND_MAX, [0, 1])
  const created = cluster.connector('ann', 11).create('a')
  cluster.finish()
  assert.deepEqual(created.outcome, { kind: 'unknown', fault: 'exhausted' })
})

test('with such a promise on one node, the others decide, and never promise as much', () => {
  const cluster = aKey(ROUND_MAX, [1])
  const created = cluster.connector('ann', 11).create('a')
  cluster.finish()
  assert.deepEqual(created.outcome, { kind: 'decided', result: 'created' })
  for (const node of [0, 2]) assert.ok(cluster.records[node]!.promised.round < 10)
})

test('the last usable round number is used, and what it chose is read when nothing can follow', () => {
  const cluster = aKey(ROUND_MAX - 2, [0, 1, 2])
  const ann = cluster.connector('ann', 11)
  const created = ann.create('a')
  cluster.finish()
  assert.deepEqual(created.outcome, { kind: 'decided', result: 'created' })
  const appended = ann.append('b')
  cluster.finish()
  assert.deepEqual(appended.outcome, { kind: 'not_applied', fault: 'exhausted' })
  const read = cluster.connector('bob', 22).read()
  cluster.finish()
  assert.deepEqual(read.outcome, { kind: 'decided', result: 'a' })
})

test('a state of the highest generation has no successor', () => {
  const cluster = new ScriptedCluster(3)
  const lineage = Array.from({ length: 16 }, (_, index) => ({ proposerId: 9, sequence: index + 1 }))
  const value = new TextEncoder().encode('a')
  const state = { generation: GENERATION_MAX, writeId: lineage.at(-1)!, lineage, value }
  for (let node = 0; node < 3; node += 1) {
    const accepted = { round: 4, proposerId: 0 }
    cluster.records[node] = { promised: promised(5), accepted, state, chosen: true, isStub: false }
  }
  const ann = cluster.connector('ann', 11)
  const appended = ann.append('b')
  const read = ann.read()
  cluster.finish()
  assert.deepEqual(appended.outcome, { kind: 'not_applied', fault: 'exhausted' })
  assert.equal(read.outcome?.kind, 'decided')
  for (const record of cluster.records) assert.equal(record.state.generation, GENERATION_MAX)
})
