import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  allowsFastBallots,
  type Configuration,
  countNodes,
  firstNodes,
  isClassicQuorum,
  isQuorum,
  jointQuorums,
  type NodeSet,
  quorumsOf,
  unanimousQuorums,
} from './quorum.ts'

const SIZES = [1, 2, 3, 4, 5, 6, 7]
const FAST = { round: 2, proposerId: 0 }
const CLASSIC = { round: 2, proposerId: 7 }

/** All subsets of a set of nodes, itself and the empty one included. */
function subsetsOf(nodes: NodeSet): NodeSet[] {
  return Array.from({ length: nodes + 1 }, (_, set) => set).filter((set) => (set & ~nodes) === 0)
}

/** All sets of exactly `size` of `n` nodes. */
function setsOf(n: number, size: number): NodeSet[] {
  return subsetsOf(firstNodes(n)).filter((set) => countBits(set) === size)
}

function countBits(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length
}

/** Two memberships that overlap somehow, of up to 7 members each, on the first nodes. */
const twoConfigurations = fc
  .tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3 }))
  .filter(([both, leaving, joining]) => both + leaving > 0 && both + joining > 0)
  .map(([both, leaving, joining]) => ({
    outgoing: firstNodes(both + leaving),
    incoming: firstNodes(both) | (firstNodes(joining) << (both + leaving)),
  }))

test('the sizes are those of the protocol', () => {
  const sizes = SIZES.map((n) => [n, quorumsOf(n).current.classic, quorumsOf(n).current.fast])
  assert.deepEqual(sizes, [
    [1, 1, 1],
    [2, 2, 2],
    [3, 2, 3],
    [4, 3, 3],
    [5, 3, 4],
    [6, 4, 5],
    [7, 4, 6],
  ])
})

test('any two classic quorums meet, and a smaller one would not', () => {
  for (const n of SIZES) {
    const { classic } = quorumsOf(n).current
    const meets = (size: number) => setsOf(n, size).every((a) => setsOf(n, size).every((b) => (a & b) !== 0))
    assert.ok(meets(classic), `n = ${n}`)
    assert.ok(!meets(classic - 1), `n = ${n}, one less`)
  }
})

test('any two fast quorums and any classic one meet in a node, and smaller fast ones would not', () => {
  for (const n of SIZES) {
    const { classic, fast } = quorumsOf(n).current
    const classics = setsOf(n, classic)
    const meets = (size: number) => {
      const fasts = setsOf(n, size)
      return fasts.every((a) => fasts.every((b) => classics.every((c) => (a & b & c) !== 0)))
    }
    assert.ok(meets(fast), `n = ${n}`)
    assert.ok(!meets(fast - 1), `n = ${n}, one less`)
  }
})

test('a set is a quorum by its number of members, whichever they are', () => {
  for (const n of SIZES) {
    const quorums = quorumsOf(n)
    for (const set of subsetsOf(firstNodes(n))) {
      assert.equal(isClassicQuorum(set, quorums), countBits(set) > n / 2)
      assert.equal(isQuorum(set, CLASSIC, quorums), countBits(set) > n / 2)
      assert.equal(isQuorum(set, FAST, quorums), countBits(set) >= (3 * n) / 4)
    }
  }
})

test('in a joint epoch a classic quorum is one of both configurations', () => {
  fc.assert(
    fc.property(twoConfigurations, fc.nat(), ({ outgoing, incoming }, drawn) => {
      const quorums = jointQuorums(outgoing, incoming)
      const set = drawn & (outgoing | incoming)
      const isMajority = (members: NodeSet) => 2 * countBits(set & members) > countBits(members)
      assert.equal(isClassicQuorum(set, quorums), isMajority(outgoing) && isMajority(incoming))
    }),
  )
})

test('every quorum of a joint epoch meets every quorum of the epochs before and after it', () => {
  const isMajority = (set: NodeSet, members: NodeSet) => 2 * countBits(set & members) > countBits(members)
  const isFast = (set: NodeSet, { members, fast }: Configuration) => countBits(set & members) >= fast
  for (const [outgoing, incoming] of [
    [0b0111, 0b1011],
    [0b0111, 0b1111],
    [0b1111, 0b0111],
    [0b011111, 0b101111],
    [0b01111, 0b11111],
  ] as const) {
    const quorums = jointQuorums(outgoing, incoming)
    const all = subsetsOf(outgoing | incoming)
    const joint = all.filter((set) => isClassicQuorum(set, quorums))
    for (const members of [outgoing, incoming]) {
      for (const set of all.filter((candidate) => isMajority(candidate, members))) {
        assert.ok(joint.every((other) => (other & set & members) !== 0))
      }
    }
    const fast = all.filter((set) => isFast(set, quorums.current))
    assert.ok(fast.every((a) => fast.every((b) => joint.every((set) => (a & b & set & outgoing) !== 0))))
  }
})

test('fast votes in a joint epoch are those of the old members, and no new ones are asked for', () => {
  const quorums = jointQuorums(0b0111, 0b1011)
  assert.ok(!allowsFastBallots(quorums))
  assert.ok(allowsFastBallots(quorumsOf(3)))
  assert.ok(isQuorum(0b0111, FAST, quorums))
  assert.ok(!isQuorum(0b1011, FAST, quorums))
})

test('a membership has 1 to 7 nodes, also next to another one', () => {
  for (const n of [0, 8, -1, 2.5, Number.NaN])
    assert.throws(() => quorumsOf(n), assert.AssertionError, `${n}`)
  assert.throws(() => jointQuorums(0, 0b111), assert.AssertionError)
  assert.throws(() => jointQuorums(0b1111_1111, 0b111), assert.AssertionError)
  assert.equal(jointQuorums(firstNodes(7), firstNodes(7) << 7).n, 14)
})

test('a joint epoch has no node that is in neither configuration', () => {
  assert.throws(() => jointQuorums(0b0111, 0b10011), assert.AssertionError)
})

test('to form a cluster, every quorum is all nodes', () => {
  const quorums = unanimousQuorums(3)
  for (const set of subsetsOf(0b111)) {
    assert.equal(isQuorum(set, FAST, quorums), set === 0b111)
    assert.equal(isClassicQuorum(set, quorums), set === 0b111)
  }
  assert.equal(countNodes(quorums.current.members), 3)
})
