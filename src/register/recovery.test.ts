import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ballot, nextFastBallot } from './ballot.ts'
import type { KeyRecord } from './messages.ts'
import { isClassicQuorum, jointQuorums, quorumsOf } from './quorum.ts'
import { recoverBase } from './recovery.ts'
import { ABSENT, type State, successor } from './state.ts'

const FAST: Ballot = { round: 3, proposerId: 0 }

const ROOT = successor(ABSENT, { proposerId: 7, sequence: 1 }, undefined)
const A = successor(ROOT, { proposerId: 1, sequence: 2 }, undefined)
const B = successor(ROOT, { proposerId: 1, sequence: 10 }, undefined)
const C = successor(ROOT, { proposerId: 2, sequence: 1 }, undefined)

function recordOf(accepted: Ballot | undefined, state: State, chosen = false): KeyRecord {
  const promised = accepted === undefined ? { round: 1, proposerId: 0 } : nextFastBallot(accepted)
  return { promised, accepted, state, chosen, isStub: false }
}

/** A node that has not voted at the fast ballot; it has what was chosen before it. */
const BEHIND = recordOf({ round: 2, proposerId: 7 }, ROOT)
const CELLS = [BEHIND, recordOf(FAST, A), recordOf(FAST, B), recordOf(FAST, C)]

/** All ways to give each of `count` nodes one of `choices`. */
function* assignments<T>(count: number, choices: readonly T[]): Generator<T[]> {
  if (count === 0) yield []
  else {
    for (const rest of assignments(count - 1, choices)) for (const choice of choices) yield [choice, ...rest]
  }
}

/** All sets of at least `size` of the records. */
function* subsets(records: readonly KeyRecord[], size: number): Generator<KeyRecord[]> {
  for (let mask = 0; mask < 2 ** records.length; mask += 1) {
    const subset = records.filter((_, index) => (mask >> index) & 1)
    if (subset.length >= size) yield subset
  }
}

for (const n of [3, 4, 5]) {
  const quorums = quorumsOf(n)

  test(`of ${n} nodes, whatever a fast quorum will ever have accepted is the base of every classic quorum`, () => {
    // `world` is how all nodes will have voted at the fast ballot in the end, those outside the promises too.
    for (const world of assignments(n, CELLS)) {
      const chosen = [A, B, C].find(
        (state) => world.filter((record) => record.state === state).length >= quorums.current.fast,
      )
      for (const promises of subsets(world, quorums.current.classic)) {
        const base = recoverBase(promises, quorums)
        if (chosen !== undefined) assert.equal(base, chosen)
        assert.ok(promises.some(({ state }) => state === base))
        assert.equal(
          base === ROOT,
          promises.every((record) => record === BEHIND),
        )
      }
    }
  })

  test(`of ${n} nodes, a chosen state stays the base after the losing votes have learned it`, () => {
    const learned = recordOf(FAST, A, true)
    for (const world of assignments(n, [learned, ...CELLS.slice(0, 3)])) {
      if (world.filter(({ state }) => state === A).length < quorums.current.fast) continue
      for (const promises of subsets(world, quorums.current.classic))
        assert.equal(recoverBase(promises, quorums), A)
    }
  })
}

test('in a joint epoch the old members tell what may have been chosen at a fast ballot, whatever joining ones have learned', () => {
  const learned = [recordOf(undefined, ABSENT), BEHIND, recordOf(FAST, A, true)]
  // Nodes 0 to 2 are the old members; 3 takes the place of 2, or joins them, or both 3 and 4 join.
  for (const incoming of [0b1011, 0b1111, 0b11111]) {
    const quorums = jointQuorums(0b0111, incoming)
    for (const old of assignments(3, CELLS)) {
      const isChosen = old.every(({ state }) => state === A)
      for (const joining of assignments(quorums.n - 3, isChosen ? learned : learned.slice(0, 2))) {
        const world = [...old, ...joining]
        for (let set = 0; set < 2 ** quorums.n; set += 1) {
          if (!isClassicQuorum(set, quorums)) continue
          const promises = world.map((record, node) => ((set >> node) & 1 ? record : undefined))
          const base = recoverBase(promises, quorums)
          if (isChosen) assert.equal(base, A)
          assert.ok(promises.some((record) => record?.state === base))
        }
      }
    }
  }
})

test('nothing accepted: the base is absent', () => {
  assert.equal(recoverBase([recordOf(undefined, ABSENT), recordOf(undefined, ABSENT)], quorumsOf(3)), ABSENT)
})

test('one vote at a classic ballot is enough to be the base: its owner may have had a quorum', () => {
  const classic = recordOf({ round: 3, proposerId: 4 }, B)
  assert.equal(recoverBase([recordOf(FAST, A), classic], quorumsOf(3)), B)
  assert.equal(recoverBase([BEHIND, BEHIND, classic], quorumsOf(5)), B)
})

test('without a state that may have been chosen, the base has the most votes', () => {
  const votes = [recordOf(FAST, A), recordOf(FAST, C), recordOf(FAST, C), BEHIND, BEHIND]
  assert.equal(recoverBase(votes, quorumsOf(5)), C)
})

test('a tie goes to the smallest writeId, by proposer and then by number, whatever the order of the answers', () => {
  for (const votes of [
    [A, B, C],
    [C, B, A],
    [B, C, A],
  ]) {
    assert.equal(
      recoverBase(
        votes.map((state) => recordOf(FAST, state)),
        quorumsOf(3),
      ),
      A,
    )
  }
})

test('fewer promises than a classic quorum are a bug of the caller', () => {
  assert.throws(() => recoverBase([BEHIND, BEHIND], quorumsOf(5)), assert.AssertionError)
})

test('two states that may both have been chosen stop the process: a node has broken its promise', () => {
  const torn = [recordOf(FAST, A), recordOf(FAST, A), recordOf(FAST, B), recordOf(FAST, B)]
  const quorums = quorumsOf(4)
  const tooFew = { ...quorums, current: { ...quorums.current, fast: 2 } }
  assert.throws(() => recoverBase(torn, tooFew), assert.AssertionError)
})
