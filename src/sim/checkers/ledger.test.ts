import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ABSENT, type State, successor } from '../../register/state.ts'
import { ExactlyOnce } from './exactly-once.ts'
import { Ledger } from './ledger.ts'
import { Promises } from './promises.ts'

const FAST = { round: 1, proposerId: 0 }
const CLASSIC = { round: 2, proposerId: 7 }

function aState(base: State, sequence: number): State {
  return successor(base, { proposerId: 7, sequence }, Uint8Array.of(sequence))
}

function elect(ledger: Ledger, ballot: typeof FAST, state: State, voters: readonly number[]): void {
  ledger.proposed(ballot, state, [state.writeId.sequence])
  for (const node of voters) ledger.voted(node, ballot, state)
}

test('a fast ballot needs all three nodes, a classic one two', () => {
  const state = aState(ABSENT, 1)
  const ledger = new Ledger(3)
  elect(ledger, FAST, state, [0, 1])
  assert.throws(() => ledger.toldChosen(FAST, state.writeId), /only what is chosen is learned/)
  ledger.voted(1, FAST, state)
  assert.equal(ledger.timesHappened(1), 0, 'a vote counts once')
  ledger.voted(2, FAST, state)
  ledger.toldChosen(FAST, state.writeId)
  assert.equal(ledger.timesHappened(1), 1)
  const next = aState(state, 2)
  elect(ledger, CLASSIC, next, [0, 2])
  assert.equal(ledger.generation, 2)
})

test('two states chosen at one fast ballot are noticed', () => {
  const ledger = new Ledger(3)
  elect(ledger, FAST, aState(ABSENT, 1), [0, 1, 2])
  assert.throws(() => elect(ledger, FAST, aState(ABSENT, 2), [0, 1, 2]), /one state per ballot/)
})

test('a classic ballot that carries two states is noticed before any vote', () => {
  const ledger = new Ledger(3)
  elect(ledger, CLASSIC, aState(ABSENT, 1), [])
  assert.throws(() => elect(ledger, CLASSIC, aState(ABSENT, 2), []), /a classic ballot has one state/)
})

test('a chosen state that does not descend from the one before is noticed, in whatever order they are chosen', () => {
  const first = aState(ABSENT, 1)
  const stranger = aState(ABSENT, 2)
  const ledger = new Ledger(3)
  elect(ledger, FAST, first, [0, 1, 2])
  assert.throws(() => elect(ledger, CLASSIC, stranger, [0, 1]), /one chain/)
  const backwards = new Ledger(3)
  elect(backwards, CLASSIC, stranger, [0, 1])
  assert.throws(() => elect(backwards, FAST, first, [0, 1, 2]), /one chain/)
})

test('an operation that is told it changed something, and is in no chosen state, is noticed', () => {
  const ledger = new Ledger(3)
  assert.throws(() => new ExactlyOnce(ledger).told(1, 'changed'), /exactly once/)
})

test('an operation in two chosen states is noticed, whatever it was told', () => {
  const ledger = new Ledger(3)
  const first = aState(ABSENT, 1)
  elect(ledger, FAST, first, [0, 1, 2])
  const again = aState(first, 2)
  ledger.proposed(CLASSIC, again, [1])
  const exactlyOnce = new ExactlyOnce(ledger)
  exactlyOnce.told(1, 'changed')
  exactlyOnce.checkAll(3)
  ledger.voted(0, CLASSIC, again)
  ledger.voted(1, CLASSIC, again)
  assert.throws(() => exactlyOnce.checkAll(3), /exactly once/)
})

test('a promise that is lower than one reported before is noticed', () => {
  const promises = new Promises()
  promises.told(0, { promised: CLASSIC, accepted: FAST })
  promises.told(1, { promised: FAST, accepted: undefined })
  assert.throws(() => promises.told(0, { promised: FAST, accepted: undefined }), /taken back/)
})

const TOMBSTONE_AT = { round: 2, proposerId: 0 }

/** A group and its tombstone, chosen by all three nodes. */
function aDeleted(ledger: Ledger): State {
  const group = aState(ABSENT, 1)
  const tombstone = successor(group, { proposerId: 7, sequence: 2 }, undefined)
  elect(ledger, FAST, group, [0, 1, 2])
  elect(ledger, TOMBSTONE_AT, tombstone, [0, 1, 2])
  return tombstone
}

test('a state that is written after a removal, at ballots that are used again, follows the removed tombstone', () => {
  const ledger = new Ledger(3)
  const tombstone = aDeleted(ledger)
  for (let node = 0; node < 3; node += 1) ledger.removed(TOMBSTONE_AT, tombstone)
  const again = aState(ABSENT, 3)
  elect(ledger, FAST, again, [0, 1, 2])
  ledger.toldChosen(FAST, again.writeId)
  assert.deepEqual(ledger.order(), [1, 2, 3])
  assert.deepEqual(
    [1, 2, 3].map((operation) => ledger.timesHappened(operation)),
    [1, 1, 1],
  )
})

test('without a removal, a second history from the start is noticed', () => {
  const ledger = new Ledger(3)
  aDeleted(ledger)
  assert.throws(() => elect(ledger, CLASSIC, aState(ABSENT, 3), [0, 1]), /one chain/)
})

test('a state that follows a tombstone is noticed when another life has begun after it', () => {
  const ledger = new Ledger(3)
  const tombstone = aDeleted(ledger)
  ledger.removed(TOMBSTONE_AT, tombstone)
  elect(ledger, FAST, aState(ABSENT, 3), [0, 1, 2])
  const late = aState(tombstone, 4)
  assert.throws(() => elect(ledger, { round: 3, proposerId: 0 }, late, [0, 1, 2]), /a life that was removed/)
})

test('an absence that is chosen may be removed like a tombstone', () => {
  const ledger = new Ledger(3)
  elect(ledger, CLASSIC, ABSENT, [0, 1])
  ledger.toldChosen(CLASSIC, ABSENT.writeId)
  ledger.removed(CLASSIC, ABSENT)
  elect(ledger, FAST, aState(ABSENT, 1), [0, 1, 2])
  assert.deepEqual(ledger.order(), [1])
})
