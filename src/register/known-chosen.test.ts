import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Ballot, compareBallots, isFastBallot, nextFastBallot } from './ballot.ts'
import { highestAccepted, knownChosen } from './known-chosen.ts'
import type { KeyRecord } from './messages.ts'
import { jointQuorums, type Quorums, quorumsOf } from './quorum.ts'
import { recoverBase } from './recovery.ts'
import { ABSENT, type State, successor } from './state.ts'

const ROOT = successor(ABSENT, { proposerId: 7, sequence: 1 }, undefined)
const A = successor(ROOT, { proposerId: 1, sequence: 1 }, undefined)
const B = successor(ROOT, { proposerId: 2, sequence: 1 }, undefined)
const C = successor(A, { proposerId: 9, sequence: 1 }, undefined)

/**
 * What one node may have accepted last: the base, either candidate of a fast ballot, a later classic round,
 * or nothing.
 */
const NOTHING: KeyRecord = recordOf(undefined, ABSENT)
const CELLS: readonly KeyRecord[] = [
  NOTHING,
  recordOf({ round: 2, proposerId: 7 }, ROOT),
  recordOf({ round: 3, proposerId: 0 }, A),
  recordOf({ round: 3, proposerId: 0 }, B),
  recordOf({ round: 4, proposerId: 9 }, C),
]

function recordOf(accepted: Ballot | undefined, state: State, chosen = false): KeyRecord {
  const promised = accepted === undefined ? { round: 1, proposerId: 0 } : nextFastBallot(accepted)
  return { promised, accepted, state, chosen, isStub: false }
}

/** All ways to give each of `count` nodes one of `choices`. */
function* assignments<T>(count: number, choices: readonly T[]): Generator<T[]> {
  if (count === 0) yield []
  else {
    for (const rest of assignments(count - 1, choices)) for (const choice of choices) yield [choice, ...rest]
  }
}

/**
 * The model: a state is known to be chosen at the highest ballot seen when it is chosen there whatever the
 * nodes not heard of have accepted. Tries everything that they may have.
 */
function chosenInEveryCompletion(seen: readonly KeyRecord[], quorums: Quorums): State | undefined {
  const top = highestAccepted(seen)
  if (top === undefined) return ABSENT
  let certain: State | undefined
  for (const unseen of assignments(quorums.n - seen.length, CELLS)) {
    const chosen: State[] = [ROOT, A, B, C].filter((state) =>
      isChosen(state, top, [...seen, ...unseen], quorums),
    )
    assert.ok(chosen.length <= 1, 'the model itself chooses one state for each ballot')
    if (chosen[0] === undefined) return undefined
    assert.ok(certain === undefined || certain === chosen[0])
    certain = chosen[0]
  }
  return certain
}

function isChosen(state: State, ballot: Ballot, world: readonly KeyRecord[], quorums: Quorums): boolean {
  const votes = world.filter(
    ({ accepted, state: voted }) =>
      voted === state && accepted !== undefined && compareBallots(accepted, ballot) === 0,
  )
  return votes.length >= (isFastBallot(ballot) ? quorums.current.fast : quorums.current.classic)
}

for (const n of [3, 4, 5]) {
  const quorums = quorumsOf(n)

  test(`of ${n} nodes, any answers tell exactly what holds in every completion of them`, () => {
    for (let count = quorums.current.classic; count <= n; count += 1) {
      for (const seen of assignments(count, CELLS)) {
        const known = knownChosen(seen, quorums)
        assert.equal(known?.state, chosenInEveryCompletion(seen, quorums))
        if (known !== undefined) assert.deepEqual(known.ballot, highestAccepted(seen))
      }
    }
  })

  test(`of ${n} nodes, what is known to be chosen is also what a classic round recovers`, () => {
    for (let count = quorums.current.classic; count <= n; count += 1) {
      for (const seen of assignments(count, CELLS)) {
        const known = knownChosen(seen, quorums)
        if (known !== undefined) assert.equal(recoverBase(seen, quorums), known.state)
      }
    }
  })

  test(`of ${n} nodes, one mark at the highest ballot tells; fewer answers than a classic quorum do not`, () => {
    const marked = recordOf({ round: 3, proposerId: 0 }, A, true)
    const lagging = recordOf({ round: 2, proposerId: 7 }, ROOT)
    const others = Array<KeyRecord>(quorums.current.classic - 1).fill(lagging)
    assert.equal(knownChosen([...others, marked], quorums)?.state, A)
    assert.equal(knownChosen([...others.slice(1), marked], quorums), undefined)
  })
}

test('in a joint epoch answers tell only with a quorum of both memberships', () => {
  const quorums = jointQuorums(0b0111, 0b1011)
  const old = recordOf({ round: 2, proposerId: 7 }, ROOT)
  // Chosen by the old members alone, before: also in a new quorum's hands here.
  assert.equal(knownChosen([old, old, NOTHING], quorums)?.state, ROOT)
  assert.equal(knownChosen([old, undefined, old], quorums), undefined)
  assert.equal(knownChosen([undefined, NOTHING, undefined, NOTHING], quorums), undefined)
  // Accepted by an old quorum and one new member: the round may still be under way.
  assert.equal(knownChosen([old, NOTHING, old, NOTHING], quorums), undefined)
  assert.equal(knownChosen([old, NOTHING, old, old], quorums)?.state, ROOT)
  const fast = recordOf({ round: 3, proposerId: 0 }, A)
  assert.equal(knownChosen([fast, fast, fast, NOTHING], quorums)?.state, A)
  assert.equal(knownChosen([fast, fast, NOTHING, fast], quorums), undefined)
})

test('a mark tells which of two votes at one fast ballot was chosen, whichever comes first', () => {
  const ballot = { round: 3, proposerId: 0 }
  for (const seen of [
    [recordOf(ballot, A), recordOf(ballot, B, true)],
    [recordOf(ballot, B, true), recordOf(ballot, A)],
  ]) {
    assert.equal(knownChosen(seen, quorumsOf(3))?.state, B)
  }
})

test('a mark below the highest ballot proves nothing: a newer state may have been chosen', () => {
  const marked = recordOf({ round: 2, proposerId: 7 }, ROOT, true)
  assert.equal(knownChosen([marked, recordOf({ round: 3, proposerId: 0 }, A)], quorumsOf(3)), undefined)
})

test('a key that a classic quorum has not accepted anything for is absent, whatever is promised', () => {
  const promised = { ...NOTHING, promised: { round: 9, proposerId: 3 } }
  assert.deepEqual(knownChosen([promised, NOTHING], quorumsOf(3)), { state: ABSENT, ballot: undefined })
})

test('an absent state that a classic round proposed again is chosen like any other', () => {
  const ballot = { round: 1, proposerId: 7 }
  assert.deepEqual(knownChosen([recordOf(ballot, ABSENT), recordOf(ballot, ABSENT)], quorumsOf(3)), {
    state: ABSENT,
    ballot,
  })
  assert.equal(knownChosen([recordOf(ballot, ABSENT), NOTHING], quorumsOf(3)), undefined)
})
