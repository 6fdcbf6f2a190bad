import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { type Ballot, nextFastBallot } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { jointQuorums } from '../register/quorum.ts'
import { ABSENT, successor } from '../register/state.ts'
import { isSealed } from './is-sealed.ts'

/** The members 0 to 2 are replaced by 0, 1 and 3. */
const QUORUMS = jointQuorums(0b0111, 0b1011)
const JOINING = 0b1000

const STATE = successor(ABSENT, { proposerId: 7, sequence: 1 }, undefined)

function at(accepted: Ballot, chosen = false): KeyRecord {
  return { promised: nextFastBallot(accepted), accepted, state: STATE, chosen, isStub: false }
}

const CLASSIC = at({ round: 4, proposerId: 9 })
const FAST = at({ round: 3, proposerId: 0 }, true)

test('a key is sealed when both quorums and the joining nodes have it at one classic ballot', () => {
  assert.ok(isSealed([CLASSIC, CLASSIC, undefined, CLASSIC], QUORUMS, JOINING))
  assert.ok(isSealed([CLASSIC, undefined, CLASSIC, CLASSIC], QUORUMS, JOINING))
  assert.ok(isSealed([CLASSIC, CLASSIC, FAST, CLASSIC], QUORUMS, JOINING))
})

test('it is not sealed by a fast ballot, even a chosen one, nor by one side, nor without the joining nodes', () => {
  assert.ok(!isSealed([FAST, FAST, FAST, FAST], QUORUMS, JOINING))
  assert.ok(!isSealed([undefined, CLASSIC, CLASSIC, EMPTY_RECORD], QUORUMS, JOINING))
  assert.ok(!isSealed([CLASSIC, CLASSIC, CLASSIC, EMPTY_RECORD], QUORUMS, JOINING))
  assert.ok(!isSealed([CLASSIC, CLASSIC, CLASSIC, FAST], QUORUMS, JOINING))
  assert.ok(!isSealed([EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD], QUORUMS, JOINING))
})

test('it is not sealed below a higher vote, which may have been chosen', () => {
  const higher = at({ round: 5, proposerId: 0 })
  assert.ok(!isSealed([CLASSIC, CLASSIC, higher, CLASSIC], QUORUMS, JOINING))
})
