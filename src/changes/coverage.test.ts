import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jointQuorums, quorumsOf } from '../register/quorum.ts'
import { Coverage, type FollowedEpoch, type Moment, meetsEveryQuorum } from './coverage.ts'

const THREE: FollowedEpoch = { epoch: 1, nodeIds: ['a', 'b', 'c'], quorums: quorumsOf(3) }
/** From a, b, c to a, b, d. */
const JOINT: FollowedEpoch = {
  epoch: 2,
  nodeIds: ['a', 'b', 'c', 'd'],
  quorums: jointQuorums(0b0111, 0b1011),
}
const NEXT: FollowedEpoch = { epoch: 3, nodeIds: ['a', 'b', 'd'], quorums: quorumsOf(3) }

const at = (number: number) => ({ life: 'life', number })
const moment = (order: number): Moment => ({ order, ms: order })

/** Two of three nodes are followed since the moments 1 and 2. */
function aCoverage(epoch = THREE) {
  const coverage = new Coverage(epoch)
  coverage.began('a', at(1), moment(1))
  coverage.began('b', at(1), moment(2))
  const reached = () => coverage.reached?.order
  const told = (nodeId: string, calledAt: number) =>
    coverage.told(nodeId, at(2), moment(calledAt), moment(calledAt + 1))
  return { coverage, reached, told }
}

test('so many nodes meet every quorum: 2 of 3 and of 4, 3 of 5, 4 of 7, and of both sides of a joint epoch', () => {
  for (const [n, least] of [
    [1, 1],
    [3, 2],
    [4, 2],
    [5, 3],
    [7, 4],
  ] as const) {
    assert.ok(meetsEveryQuorum(2 ** least - 1, quorumsOf(n)), `${least} of ${n}`)
    assert.ok(!meetsEveryQuorum(2 ** (least - 1) - 1, quorumsOf(n)), `${least - 1} of ${n}`)
  }
  assert.ok(meetsEveryQuorum(0b0011, JOINT.quorums))
  assert.ok(!meetsEveryQuorum(0b0101, JOINT.quorums), 'one of the new members is too few')
  assert.ok(meetsEveryQuorum(0b1101, JOINT.quorums))
})

test('everything is covered up to the calls that enough nodes have answered', () => {
  const { reached, told } = aCoverage()
  assert.equal(reached(), 2)
  told('a', 10)
  assert.equal(reached(), 2)
  told('b', 8)
  assert.equal(reached(), 8)
})

test('a node that is followed later counts once the others have answered calls made after that', () => {
  const { coverage, reached, told } = aCoverage()
  told('a', 10)
  told('b', 10)
  coverage.began('c', at(1), moment(12))
  coverage.drop('b')
  told('a', 20)
  coverage.told('c', at(2), moment(20), moment(21))
  assert.equal(reached(), 10, 'nobody knows what b has changed between 10 and 12')

  const other = aCoverage()
  other.told('a', 10)
  other.told('b', 10)
  other.coverage.began('c', at(1), moment(12))
  other.told('a', 13)
  other.told('b', 13)
  other.coverage.drop('b')
  other.told('a', 20)
  other.told('c', 20)
  assert.equal(other.reached(), 20)
})

test('the interval of a node that has ended still counts for the moments in it', () => {
  const { coverage, reached, told } = aCoverage()
  coverage.began('c', at(1), moment(4))
  told('b', 9)
  coverage.drop('b')
  assert.equal(reached(), 2)
  told('a', 9)
  assert.equal(reached(), 9, 'a and b reach to 9')
  told('c', 12)
  told('a', 12)
  assert.equal(reached(), 12)
})

test('the coverage goes on from one epoch to the next, with answers that were given in it', () => {
  const { coverage, reached, told } = aCoverage()
  told('a', 10)
  told('b', 10)
  assert.ok(coverage.enter(JOINT))
  told('a', 20)
  assert.equal(reached(), 10, 'b has not answered in this epoch')
  told('b', 20)
  assert.equal(reached(), 20)
  assert.ok(coverage.enter(NEXT))
  told('a', 30)
  told('b', 30)
  assert.equal(reached(), 30)
})

test('it does not go on when an epoch was skipped, or nothing was known in one', () => {
  assert.ok(!aCoverage().coverage.enter(NEXT), 'from 1 to 3')
  const { coverage } = aCoverage()
  assert.ok(coverage.enter(JOINT))
  assert.ok(!coverage.enter(NEXT), 'nothing was answered in epoch 2')
})

test('only nodes that were followed at the moment that is reached are in a place', () => {
  const { coverage, told } = aCoverage()
  coverage.began('c', at(7), moment(5))
  assert.deepEqual([...coverage.positions().keys()], ['a', 'b'])
  told('a', 6)
  told('b', 6)
  assert.deepEqual([...coverage.positions().keys()], ['a', 'b', 'c'])
  coverage.lose()
  assert.equal(coverage.reached, undefined)
  assert.equal(coverage.positionOf('a'), undefined)
})
