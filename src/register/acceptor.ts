import assert from 'node:assert/strict'
import { compareBallots, FIRST_BALLOT, maxBallot } from './ballot.ts'
import type { Answer, KeyRecord, Request } from './messages.ts'
import { ABSENT, sameWriteId } from './state.ts'

type Prepare = Extract<Request, { kind: 'prepare' }>
type Accept = Extract<Request, { kind: 'accept' }>
type Learn = Extract<Request, { kind: 'learn' }>
type Mark = Extract<Request, { kind: 'mark' }>
type Stub = Extract<Request, { kind: 'stub' }>
type Drop = Extract<Request, { kind: 'drop' }>

/** The record of a node that holds nothing for a key. It is never stored. */
export const EMPTY_RECORD: KeyRecord = {
  promised: FIRST_BALLOT,
  accepted: undefined,
  state: ABSENT,
  chosen: false,
  isStub: false,
}

/**
 * Promises to take no ballot below the given one. An equal ballot belongs to the same proposer, whose earlier
 * accept prepared it (`next`), so it is no conflict. CASPaxos §2.2, step 2; protocol.md §3.
 *
 * A stub refuses an equal ballot: when a proposer begins to rely on the promise, the promise must change, so
 * that a `drop` no longer matches it.
 */
export function onPrepare(record: KeyRecord, { ballot }: Prepare): Answer {
  const order = compareBallots(ballot, record.promised)
  if (order > 0) return { ok: true, record: { ...record, promised: ballot } }
  return { ok: order === 0 && !record.isStub, record }
}

/**
 * Votes for a state at a ballot, and at the same time promises `next`. CASPaxos §2.2, step 4, with the one
 * round trip of §2.2.1.
 */
export function onAccept(record: KeyRecord, { ballot, state, next }: Accept): Answer {
  assert.ok(compareBallots(next, ballot) > 0, 'an accept prepares a ballot above its own')
  const order = record.accepted === undefined ? 1 : compareBallots(ballot, record.accepted)
  if (order > 0 && compareBallots(ballot, record.promised) >= 0) {
    const promised = maxBallot(next, record.promised)
    return { ok: true, record: { promised, accepted: ballot, state, chosen: false, isStub: false } }
  }
  // It may be the same vote again: an answer was lost, or the network has duplicated the request.
  return { ok: order === 0 && sameWriteId(state.writeId, record.state.writeId), record }
}

/**
 * Takes a state that is known to be chosen. A promise does not stop a learn: every state that can be chosen
 * above the promise descends from it. A learn is refused, and nothing changes, in two cases:
 *
 * - the record is a stub, and the ballot is below its promise: the state is from before the removal (§6);
 * - the record is marked chosen at the same ballot with another state. Both cannot be right: a rule was
 *   broken, or a disk is bad. A person must look at it, and neither state may be overwritten.
 */
export function onLearn(record: KeyRecord, { ballot, state, next }: Learn): Answer {
  assert.ok(compareBallots(next, ballot) > 0, 'a learn prepares a ballot above its own')
  if (record.isStub && compareBallots(ballot, record.promised) < 0) return { ok: false, record }
  const promised = maxBallot(record.promised, next)
  const order = record.accepted === undefined ? 1 : compareBallots(ballot, record.accepted)
  const isMarked = order === 0 && record.chosen
  if (isMarked && !sameWriteId(state.writeId, record.state.writeId)) return { ok: false, record }
  if (order < 0 || isMarked) {
    return { ok: true, record: promised === record.promised ? record : { ...record, promised } }
  }
  return { ok: true, record: { promised, accepted: ballot, state, chosen: true, isStub: false } }
}

/** Marks the stored state as chosen if it is the state that the sender means. Otherwise nothing changes. */
export function onMark(record: KeyRecord, { ballot, writeId }: Mark): Answer {
  const isMeant =
    record.accepted !== undefined &&
    compareBallots(record.accepted, ballot) === 0 &&
    sameWriteId(record.state.writeId, writeId)
  return { ok: isMeant, record: isMeant && !record.chosen ? { ...record, chosen: true } : record }
}

/**
 * First step of a removal: the tombstone is dropped, but its promise is kept, so that no older message can
 * count as a vote on a new key. It applies only to a record without a value: a tombstone, or a chosen
 * absence.
 */
export function onStub(record: KeyRecord, { ballot, writeId }: Stub): Answer {
  if (record.isStub) return { ok: true, record }
  const { promised, accepted, state } = record
  const isMeant =
    accepted !== undefined &&
    compareBallots(accepted, ballot) === 0 &&
    sameWriteId(state.writeId, writeId) &&
    state.value === undefined
  return isMeant
    ? { ok: true, record: { ...EMPTY_RECORD, promised, isStub: true } }
    : { ok: record === EMPTY_RECORD, record }
}

/**
 * Second step of a removal. If the promise has risen since it was reported, a proposer relies on it, and the
 * stub is not dropped.
 */
export function onDrop(record: KeyRecord, { promised }: Drop): Answer {
  const isMeant = record.isStub && compareBallots(record.promised, promised) === 0
  return isMeant ? { ok: true, record: EMPTY_RECORD } : { ok: record === EMPTY_RECORD, record }
}

/**
 * The acceptor: from the record of a node and a request, it gives the record to store and the answer. The
 * caller must make a changed record durable before it sends the answer. An unchanged record is returned as
 * the same object.
 */
export function answer(record: KeyRecord, request: Request): Answer {
  switch (request.kind) {
    case 'prepare':
      return onPrepare(record, request)
    case 'accept':
      return onAccept(record, request)
    case 'learn':
      return onLearn(record, request)
    case 'mark':
      return onMark(record, request)
    case 'stub':
      return onStub(record, request)
    case 'drop':
      return onDrop(record, request)
    case 'read':
      return { ok: true, record }
    default:
      return request satisfies never
  }
}
