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

/** How a node without a record for a key behaves. Storing it means to store nothing. */
export const EMPTY_RECORD: KeyRecord = {
  promised: FIRST_BALLOT,
  accepted: undefined,
  state: ABSENT,
  chosen: false,
  isStub: false,
}

/**
 * Promises to take no ballot below the given one. An equal ballot is the proposer's own: the accept before it
 * prepared it (`next`), so it is no conflict. CASPaxos §2.2, step 2; protocol.md §3.
 *
 * On a stub an equal ballot is refused: the promise that a `drop` names must change when somebody relies on
 * it anew.
 */
export function onPrepare(record: KeyRecord, { ballot }: Prepare): Answer {
  const order = compareBallots(ballot, record.promised)
  if (order > 0) return { ok: true, record: { ...record, promised: ballot } }
  return { ok: order === 0 && !record.isStub, record }
}

/**
 * Votes for a state at a ballot, and promises `next` at once. CASPaxos §2.2, step 4, with §2.2.1's one round
 * trip.
 */
export function onAccept(record: KeyRecord, { ballot, state, next }: Accept): Answer {
  assert.ok(compareBallots(next, ballot) > 0, 'an accept prepares a ballot above its own')
  const order = record.accepted === undefined ? 1 : compareBallots(ballot, record.accepted)
  if (order > 0 && compareBallots(ballot, record.promised) >= 0) {
    const promised = maxBallot(next, record.promised)
    return { ok: true, record: { promised, accepted: ballot, state, chosen: false, isStub: false } }
  }
  // The same vote again: an answer was lost, or the network duplicated the request.
  return { ok: order === 0 && sameWriteId(state.writeId, record.state.writeId), record }
}

/**
 * Takes a state that is known to be chosen. A promise never stops a learn: what is chosen at a lower ballot
 * is the ancestor of whatever the promise is for. Refused, and nothing changed, in two cases:
 *
 * - a stub is deaf to ballots below its promise: they are of the life that has been removed (§6);
 * - the record is marked chosen at the same ballot with another state. Both cannot be right, so a rule was
 *   broken or a disk lies: that is for a human to look at, and neither state may overwrite the other.
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

/** Marks the stored state as chosen if it is the one the sender means; else changes nothing. */
export function onMark(record: KeyRecord, { ballot, writeId }: Mark): Answer {
  const isMeant =
    record.accepted !== undefined &&
    compareBallots(record.accepted, ballot) === 0 &&
    sameWriteId(record.state.writeId, writeId)
  return { ok: isMeant, record: isMeant && !record.chosen ? { ...record, chosen: true } : record }
}

/**
 * First step of a removal: the tombstone is forgotten, and its promise kept, so that no older message can
 * pass for a vote on a fresh key. Takes only what holds nothing any more: a tombstone, or an absence that was
 * chosen.
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
 * Second step of a removal. A promise that has risen since it was reported is one that somebody relies on.
 */
export function onDrop(record: KeyRecord, { promised }: Drop): Answer {
  const isMeant = record.isStub && compareBallots(record.promised, promised) === 0
  return isMeant ? { ok: true, record: EMPTY_RECORD } : { ok: record === EMPTY_RECORD, record }
}

/**
 * The acceptor: a node's record and a request give the record to store and the answer. The caller makes a
 * changed record durable before the answer leaves; an unchanged record is returned as the same object.
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
