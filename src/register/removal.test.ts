import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, EMPTY_RECORD } from './acceptor.ts'
import type { Ballot } from './ballot.ts'
import { nextFastBallot } from './ballot.ts'
import type { KeyRecord, Request } from './messages.ts'
import { findRemovable, isSameFinding, removalRequests } from './removal.ts'
import { ABSENT, type State, successor } from './state.ts'

const fast = (round: number): Ballot => ({ round, proposerId: 0 })
const classic = (round: number, proposerId = 7): Ballot => ({ round, proposerId })

const GROUP = successor(ABSENT, { proposerId: 1, sequence: 1 }, Uint8Array.of(1))
const TOMBSTONE = successor(GROUP, { proposerId: 1, sequence: 2 }, undefined)

function accept(ballot: Ballot, state: State): Request {
  return { kind: 'accept', ballot, state, next: nextFastBallot(ballot) }
}

function after(record: KeyRecord, ...requests: readonly Request[]): KeyRecord {
  return requests.reduce((before, request) => answer(before, request).record, record)
}

const live = after(EMPTY_RECORD, accept(fast(1), GROUP))
const dead = after(live, accept(fast(2), TOMBSTONE))
const absent = after(EMPTY_RECORD, accept(classic(2), ABSENT))
const prepared = after(EMPTY_RECORD, { kind: 'prepare', ballot: classic(3) })
const oldStub = after(dead, { kind: 'stub', ballot: fast(2), writeId: TOMBSTONE.writeId })
const stub = after(oldStub, { kind: 'prepare', ballot: classic(9) })

test('the records of all members decide the next step of a removal', () => {
  const kinds: readonly [string, readonly KeyRecord[]][] = [
    ['tombstone', [dead, dead, { ...dead, chosen: true }]],
    ['tombstone', [absent, absent, { ...absent, promised: classic(8) }]],
    ['stubs', [stub, stub, stub]],
    ['stubs', [stub, EMPTY_RECORD, EMPTY_RECORD]],
    ['old stubs', [stub, oldStub, EMPTY_RECORD]],
    ['promises', [prepared, EMPTY_RECORD, stub]],
    ['promises', [prepared, prepared, prepared]],
    ['nothing', [EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD]],
    ['other', [live, live, live]],
    ['other', [dead, dead, live]],
    ['other', [dead, dead, EMPTY_RECORD]],
    ['other', [dead, dead, stub]],
    ['other', [stub, stub, live]],
    ['other', [dead, dead, after(dead, accept(fast(3), TOMBSTONE))]],
    ['other', [absent, absent, prepared]],
  ]
  for (const [kind, records] of kinds) assert.equal(findRemovable(records).kind, kind)
})

test('a report is the same only with the same vote, or exactly the same promises', () => {
  const same = (a: readonly KeyRecord[], b: readonly KeyRecord[]) =>
    isSameFinding(findRemovable(a), findRemovable(b))
  const raised = after(stub, { kind: 'prepare', ballot: classic(10) })
  assert.ok(same([dead, dead, dead], [{ ...dead, promised: classic(5) }, dead, dead]))
  assert.ok(same([stub, EMPTY_RECORD, stub], [{ ...stub }, EMPTY_RECORD, stub]))
  assert.ok(!same([stub, EMPTY_RECORD, stub], [stub, stub, EMPTY_RECORD]))
  assert.ok(!same([stub, stub, stub], [stub, stub, raised]))
  assert.ok(!same([dead, dead, dead], [absent, absent, absent]))
  assert.ok(!same([stub, stub, stub], [prepared, stub, stub]))
})

test('the two steps, one after the other, leave nothing on any node', () => {
  const step = (records: readonly KeyRecord[], ballot: Ballot) => {
    const finding = findRemovable(records)
    return records.map((record, node) => after(record, ...removalRequests(finding, node, ballot)))
  }
  for (const records of [
    [dead, dead, dead],
    [absent, absent, absent],
  ]) {
    const stubs = step(records, classic(11, 99))
    assert.ok(stubs.every(({ isStub, promised }) => isStub && promised.proposerId === 99))
    assert.ok(step(stubs, classic(12, 100)).every((record) => record === EMPTY_RECORD))
  }
})

test('a stub with a promise that may come again in a later life is given another, and only then dropped', () => {
  const renewed = removalRequests(findRemovable([oldStub, EMPTY_RECORD, stub]), 0, classic(10, 99))
  assert.deepEqual(renewed, [{ kind: 'prepare', ballot: classic(10, 99) }])
  assert.deepEqual(removalRequests(findRemovable([stub, EMPTY_RECORD, stub]), 1, classic(10, 99)), [])
})

test('nothing is sent for a key that is in use, or gone', () => {
  for (const records of [
    [live, live, live],
    [EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD],
    [prepared, EMPTY_RECORD, EMPTY_RECORD],
  ]) {
    assert.deepEqual(removalRequests(findRemovable(records), 0, classic(10, 99)), [])
  }
})
