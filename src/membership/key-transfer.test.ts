import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { type Ballot, nextFastBallot } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { jointQuorums } from '../register/quorum.ts'
import { ABSENT, successor } from '../register/state.ts'
import type { Membership } from '../rpc/messages.ts'
import {
  afterAnswer,
  afterRound,
  beginTransfer,
  type Handover,
  handoverOf,
  type KeyTransfer,
  mayList,
} from './key-transfer.ts'

/** The members 0 to 2 are replaced by 0, 3 and 4. */
const HANDOVER: Handover = { quorums: jointQuorums(0b00111, 0b11001), joining: 0b11000 }
/** The members 0 to 3 are replaced by 0, 1 and 2. */
const NOBODY_JOINS: Handover = { quorums: jointQuorums(0b1111, 0b0111), joining: 0 }

const STATE = successor(ABSENT, { proposerId: 7, sequence: 1 }, undefined)

function at(round: number, proposerId = 9): KeyRecord {
  const accepted: Ballot = { round, proposerId }
  return { promised: nextFastBallot(accepted), accepted, state: STATE, chosen: false, isStub: false }
}

/** The state of a transfer whose key was listed with the vote of one old member in round 4. */
function listed(): KeyTransfer {
  return beginTransfer([at(4), EMPTY_RECORD, undefined, EMPTY_RECORD, EMPTY_RECORD], HANDOVER)
}

function asking(): KeyTransfer {
  return afterRound(listed(), true, HANDOVER)
}

test('a handover names the joining nodes by indexes that come after those of the old members', () => {
  const member = (nodeId: string) => ({ nodeId, address: `${nodeId}:1` })
  const joint: Membership = {
    clusterId: 'c',
    epoch: 2,
    members: ['d', 'a', 'e'].map(member),
    outgoing: ['a', 'b', 'c'].map(member),
    tombstoneGraceMs: 1,
  }
  assert.deepEqual(handoverOf(joint), HANDOVER)
})

test('keys are listed by a quorum of both sides and by every joining node', () => {
  assert.ok(mayList(0b11011, HANDOVER))
  assert.ok(!mayList(0b11001, HANDOVER), 'one of three old members')
  assert.ok(!mayList(0b01111, HANDOVER), 'a joining node is missing')
  assert.ok(mayList(0b0111, NOBODY_JOINS))
  assert.ok(!mayList(0b1100, NOBODY_JOINS), 'one of three new members')
})

test('a key that is sealed, or that no node knows, needs nothing', () => {
  assert.deepEqual(beginTransfer([at(4), at(4), undefined, at(4), at(4)], HANDOVER), { kind: 'done' })
  assert.deepEqual(beginTransfer([EMPTY_RECORD, undefined, EMPTY_RECORD], HANDOVER), { kind: 'done' })
})

test('a key that one node knows needs a round, and then the answer of every joining node', () => {
  assert.deepEqual(listed(), { kind: 'settle', listed: { round: 4, proposerId: 9 } })
  assert.deepEqual(asking(), { kind: 'ask', listed: { round: 4, proposerId: 9 }, missing: 0b11000 })
  const oneMissing = afterAnswer(asking(), 3, at(5))
  assert.deepEqual(oneMissing, { kind: 'ask', listed: { round: 4, proposerId: 9 }, missing: 0b10000 })
  assert.deepEqual(afterAnswer(oneMissing, 4, at(4)), { kind: 'done' })
})

test('a round without a decision is repeated', () => {
  assert.deepEqual(afterRound(listed(), false, HANDOVER), listed())
})

test('a joining node that lacks what was listed, or does not answer, makes another round necessary', () => {
  for (const record of [at(3), EMPTY_RECORD, undefined])
    assert.deepEqual(afterAnswer(asking(), 3, record), listed())
})

test('a key that was only prepared is done when the joining nodes have accepted anything', () => {
  const prepared: KeyRecord = { ...EMPTY_RECORD, promised: { round: 4, proposerId: 9 } }
  const transfer = afterRound(beginTransfer([prepared], HANDOVER), true, HANDOVER)
  assert.deepEqual(afterAnswer(transfer, 3, prepared), { kind: 'settle', listed: undefined })
  assert.deepEqual(afterAnswer(afterAnswer(transfer, 3, at(5)), 4, at(5)), { kind: 'done' })
})

test('if no node joins, a decided round is enough', () => {
  const transfer = beginTransfer([at(4)], NOBODY_JOINS)
  assert.deepEqual(afterRound(transfer, true, NOBODY_JOINS), { kind: 'done' })
})

test('an answer counts once, and only while it is expected', () => {
  const oneMissing = afterAnswer(asking(), 3, at(5))
  assert.equal(afterAnswer(oneMissing, 3, undefined), oneMissing)
  assert.equal(afterAnswer(oneMissing, 0, undefined), oneMissing)
  assert.deepEqual(afterAnswer(listed(), 3, at(5)), listed())
  assert.deepEqual(afterRound({ kind: 'done' }, true, HANDOVER), { kind: 'done' })
})
