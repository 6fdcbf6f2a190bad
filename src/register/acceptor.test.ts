import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { answer, EMPTY_RECORD } from './acceptor.ts'
import { type Ballot, compareBallots, FIRST_BALLOT, nextFastBallot } from './ballot.ts'
import type { KeyRecord, Request } from './messages.ts'
import { ABSENT, type State, sameWriteId, successor } from './state.ts'

// Builders --------------------------------------------------------------------------------------------------

function fast(round: number): Ballot {
  return { round, proposerId: 0 }
}

function classic(round: number, proposerId = 7): Ballot {
  return { round, proposerId }
}

function stateOf(proposerId: number, sequence: number): State {
  return successor(ABSENT, { proposerId, sequence }, new Uint8Array([proposerId, sequence]))
}

const A = stateOf(1, 1)
const B = stateOf(2, 1)
const TOMBSTONE = successor(A, { proposerId: 1, sequence: 9 }, undefined)

function accept(ballot: Ballot, state: State, next = nextFastBallot(ballot)): Request {
  return { kind: 'accept', ballot, state, next }
}

function learn(ballot: Ballot, state: State, next = nextFastBallot(ballot)): Request {
  return { kind: 'learn', ballot, state, next }
}

/** The record after these requests. */
function recordAfter(...requests: Request[]): KeyRecord {
  return requests.reduce((record, request) => answer(record, request).record, EMPTY_RECORD)
}

// Every rule of protocol.md §3, as an example ---------------------------------------------------------------

test('a node without a record has promised the first fast ballot and accepted nothing', () => {
  assert.deepEqual(answer(EMPTY_RECORD, { kind: 'read' }), {
    ok: true,
    record: { promised: FIRST_BALLOT, accepted: undefined, state: ABSENT, chosen: false, isStub: false },
  })
})

test('a prepare above the promise raises it and leaves the vote', () => {
  const before = recordAfter(accept(fast(1), A))
  assert.deepEqual(answer(before, { kind: 'prepare', ballot: classic(3) }), {
    ok: true,
    record: { ...before, promised: classic(3) },
  })
})

test('a prepare at the promise is ok', () => {
  const before = recordAfter({ kind: 'prepare', ballot: classic(3) })
  const { ok, record } = answer(before, { kind: 'prepare', ballot: classic(3) })
  assert.ok(ok)
  assert.equal(record, before)
})

test('a prepare below the promise is refused, with the record that says why', () => {
  const before = recordAfter({ kind: 'prepare', ballot: classic(3, 8) })
  const { ok, record } = answer(before, { kind: 'prepare', ballot: classic(3, 7) })
  assert.ok(!ok)
  assert.equal(record, before)
})

test('an accept at the promise votes, takes the mark away, and promises the next ballot', () => {
  const before = recordAfter(learn(fast(1), A))
  assert.ok(before.chosen)
  assert.deepEqual(answer(before, accept(fast(2), B, classic(3))), {
    ok: true,
    record: { promised: classic(3), accepted: fast(2), state: B, chosen: false, isStub: false },
  })
})

test('an accept above the promise needs no prepare of its own', () => {
  const { ok, record } = answer(EMPTY_RECORD, accept(classic(4), A))
  assert.ok(ok)
  assert.deepEqual(record.promised, fast(5))
})

test('an accept below the promise is refused', () => {
  const before = recordAfter({ kind: 'prepare', ballot: classic(1) })
  const { ok, record } = answer(before, accept(fast(1), A))
  assert.ok(!ok)
  assert.equal(record, before)
})

test('an accept of the same write at the same ballot is ok again, though the promise has moved on', () => {
  const before = recordAfter(accept(fast(1), A), { kind: 'prepare', ballot: classic(9) })
  const { ok, record } = answer(before, accept(fast(1), A))
  assert.ok(ok)
  assert.equal(record, before)
})

test('an accept of another write at the same fast ballot is refused: one vote for each ballot', () => {
  const before = recordAfter(accept(fast(1), A))
  const { ok, record } = answer(before, accept(fast(1), B))
  assert.ok(!ok)
  assert.equal(record, before)
})

test('an accept or a learn that prepares no higher ballot is a bug of its sender', () => {
  assert.throws(() => answer(EMPTY_RECORD, accept(fast(2), A, fast(2))), assert.AssertionError)
  assert.throws(() => answer(EMPTY_RECORD, learn(fast(2), A, classic(1))), assert.AssertionError)
})

test('a learn is taken below the promise, and leaves the promise', () => {
  const before = recordAfter({ kind: 'prepare', ballot: classic(9) })
  assert.deepEqual(answer(before, learn(classic(4), A)), {
    ok: true,
    record: { promised: classic(9), accepted: classic(4), state: A, chosen: true, isStub: false },
  })
})

test('a learn replaces a losing vote at the same fast ballot by the chosen state', () => {
  const before = recordAfter(accept(fast(1), A))
  const { record } = answer(before, learn(fast(1), B))
  assert.deepEqual(record, { promised: fast(2), accepted: fast(1), state: B, chosen: true, isStub: false })
})

test('a learn of what the node has voted for marks it', () => {
  const before = recordAfter(accept(fast(1), A))
  assert.deepEqual(answer(before, learn(fast(1), A)).record, { ...before, chosen: true })
})

test('a learn below the vote leaves it unmarked, but still raises the promise', () => {
  const before = recordAfter(accept(classic(4), B, classic(5, 1)))
  assert.deepEqual(answer(before, learn(classic(3), A, classic(6))).record, {
    ...before,
    promised: classic(6),
  })
})

test('a mark marks the vote that it names', () => {
  const before = recordAfter(accept(fast(1), A))
  const { ok, record } = answer(before, { kind: 'mark', ballot: fast(1), writeId: A.writeId })
  assert.ok(ok)
  assert.deepEqual(record, { ...before, chosen: true })
})

test('a mark for another write, another ballot, or an empty record changes nothing', () => {
  const before = recordAfter(accept(fast(1), A))
  for (const [record, ballot, writeId] of [
    [before, fast(1), B.writeId],
    [before, classic(1), A.writeId],
    [EMPTY_RECORD, fast(1), A.writeId],
  ] as const) {
    const marked = answer(record, { kind: 'mark', ballot, writeId })
    assert.ok(!marked.ok)
    assert.equal(marked.record, record)
  }
})

test('a learn never overwrites what is marked chosen at its ballot: both cannot be right', () => {
  const before = recordAfter(learn(classic(4), A))
  const refused = answer(before, learn(classic(4), B))
  assert.deepEqual(refused, { ok: false, record: before })
})

// Removing tombstones, §6 -----------------------------------------------------------------------------------

const STUB: Request = { kind: 'stub', ballot: classic(2), writeId: TOMBSTONE.writeId }
const aStub = () => recordAfter(accept(classic(2), TOMBSTONE), STUB)

test('a tombstone becomes a stub, which keeps the promise and nothing else', () => {
  assert.deepEqual(aStub(), { ...EMPTY_RECORD, promised: fast(3), isStub: true })
})

test('a chosen absence is removed like a tombstone', () => {
  const before = recordAfter(accept(classic(2), ABSENT))
  const { ok, record } = answer(before, { kind: 'stub', ballot: classic(2), writeId: ABSENT.writeId })
  assert.deepEqual([ok, record], [true, { ...EMPTY_RECORD, promised: fast(3), isStub: true }])
})

test('only the tombstone that was reported becomes a stub', () => {
  for (const before of [
    recordAfter(accept(classic(3), TOMBSTONE)),
    recordAfter(accept(classic(2), successor(A, { proposerId: 3, sequence: 3 }, undefined))),
    recordAfter(accept(classic(2), { ...TOMBSTONE, value: new Uint8Array([1]) })),
    recordAfter({ kind: 'prepare', ballot: classic(3) }),
  ]) {
    assert.deepEqual(answer(before, STUB), { ok: false, record: before })
  }
})

test('a drop must name exactly the promise of the stub, and a record that was only prepared is not a stub', () => {
  assert.deepEqual(answer(aStub(), { kind: 'drop', promised: fast(3) }), { ok: true, record: EMPTY_RECORD })
  assert.equal(answer(aStub(), { kind: 'drop', promised: classic(3) }).ok, false)
  const prepared = recordAfter({ kind: 'prepare', ballot: classic(3) })
  assert.deepEqual(answer(prepared, { kind: 'drop', promised: classic(3) }), { ok: false, record: prepared })
})

test('a stub refuses a prepare at its promise, so that a drop always sees that a proposer relies on it', () => {
  const stub = recordAfter(accept(classic(2), TOMBSTONE, classic(3)), STUB)
  assert.deepEqual(answer(stub, { kind: 'prepare', ballot: classic(3) }), { ok: false, record: stub })
  const raised = answer(stub, { kind: 'prepare', ballot: classic(4) })
  assert.deepEqual(raised, { ok: true, record: { ...stub, promised: classic(4) } })
  assert.equal(answer(raised.record, { kind: 'drop', promised: classic(3) }).ok, false)
})

test('a stub ignores a state that was chosen below its promise, and takes one that is chosen above', () => {
  assert.deepEqual(answer(aStub(), learn(classic(2), TOMBSTONE)), { ok: false, record: aStub() })
  assert.deepEqual(answer(aStub(), learn(classic(3), B)).record, recordAfter(learn(classic(3), B)))
})

test('a vote ends a stub', () => {
  assert.deepEqual(answer(aStub(), accept(fast(3), B)).record, recordAfter(accept(fast(3), B)))
  assert.equal(answer(aStub(), accept(fast(1), B)).ok, false)
})

// The laws, on every record that requests can lead to -------------------------------------------------------

/** Few of each, so that equal ballots and repeated writes are common. */
const ballot: fc.Arbitrary<Ballot> = fc
  .tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 2 }))
  .map(([round, proposerId]) => ({ round, proposerId }))
const state: fc.Arbitrary<State> = fc.constantFrom(ABSENT, A, B, stateOf(1, 2), TOMBSTONE)
const proposal = fc.record({ ballot, state, isLed: fc.boolean() }).map(({ ballot, state, isLed }) => ({
  ballot,
  state,
  next: isLed ? { ...ballot, round: ballot.round + 1 } : nextFastBallot(ballot),
}))
const request: fc.Arbitrary<Request> = fc.oneof(
  ballot.map((ballot) => ({ kind: 'prepare', ballot }) as const),
  proposal.map((proposal) => ({ kind: 'accept', ...proposal }) as const),
  proposal.map((proposal) => ({ kind: 'learn', ...proposal }) as const),
  fc
    .record({ ballot, state })
    .map(({ ballot, state }) => ({ kind: 'mark', ballot, writeId: state.writeId }) as const),
  fc
    .record({ ballot, state })
    .map(({ ballot, state }) => ({ kind: 'stub', ballot, writeId: state.writeId }) as const),
  ballot.map((promised) => ({ kind: 'drop', promised }) as const),
  fc.constant({ kind: 'read' } as const),
)
const reachable = fc.array(request, { maxLength: 8 }).map((requests) => recordAfter(...requests))

/** Checks a law on 1,000 reachable records, each with a request. */
function everyStep(law: (before: KeyRecord, request: Request) => void): void {
  fc.assert(fc.property(reachable, request, law), { numRuns: 1000 })
}

function orderOf(a: Ballot | undefined, b: Ballot | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined)
  return compareBallots(a, b)
}

test('only a drop lowers a promise, and only a stub lowers an accepted ballot', () => {
  everyStep((before, request) => {
    const { record } = answer(before, request)
    if (request.kind === 'drop' || request.kind === 'stub') return
    assert.ok(compareBallots(record.promised, before.promised) >= 0)
    assert.ok(orderOf(record.accepted, before.accepted) >= 0)
  })
})

test('what is accepted is always below the promise', () => {
  everyStep((before, request) => {
    const { promised, accepted } = answer(before, request).record
    assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0)
  })
})

test('a prepare is ok exactly when it is not below the promise, and on a stub above it', () => {
  everyStep((before, request) => {
    if (request.kind !== 'prepare') return
    const order = compareBallots(request.ballot, before.promised)
    assert.equal(answer(before, request).ok, before.isStub ? order > 0 : order >= 0)
  })
})

test('a stub has accepted nothing, and no removal touches a value', () => {
  everyStep((before, request) => {
    const { record } = answer(before, request)
    if (record.isStub) assert.equal(record.accepted, undefined)
    if (request.kind !== 'stub' && request.kind !== 'drop') return
    assert.equal(record.state.value, before.state.value)
    if (request.kind === 'stub') assert.deepEqual(record.promised, before.promised)
    if (request.kind === 'drop' && !before.isStub) assert.equal(record, before)
  })
})

test('an accept is ok exactly when it is a new vote that no promise forbids, or a repeat', () => {
  everyStep((before, request) => {
    if (request.kind !== 'accept') return
    const { ballot, state } = request
    const isNew = compareBallots(ballot, before.promised) >= 0 && orderOf(ballot, before.accepted) > 0
    const isRepeat =
      orderOf(ballot, before.accepted) === 0 && sameWriteId(state.writeId, before.state.writeId)
    const { ok, record } = answer(before, request)
    assert.equal(ok, isNew || isRepeat)
    if (ok) assert.deepEqual([record.accepted, record.state], [ballot, isNew ? state : before.state])
  })
})

test('only a stub or a contradiction stops a learn: else the node has that state, marked, or one of a higher ballot', () => {
  everyStep((before, request) => {
    if (request.kind !== 'learn') return
    const { ok, record } = answer(before, request)
    const isDeaf = before.isStub && compareBallots(request.ballot, before.promised) < 0
    const isContradicted =
      before.chosen &&
      orderOf(before.accepted, request.ballot) === 0 &&
      !sameWriteId(before.state.writeId, request.state.writeId)
    assert.equal(ok, !isDeaf && !isContradicted)
    if (!ok) return
    const order = orderOf(record.accepted, request.ballot)
    assert.ok(order >= 0)
    if (order === 0) assert.deepEqual([record.state, record.chosen], [request.state, true])
    assert.ok(compareBallots(record.promised, request.next) >= 0)
  })
})

test('only an accept that is taken, a learn, or a removal changes the state', () => {
  everyStep((before, request) => {
    const { ok, record } = answer(before, request)
    if (request.kind === 'learn' || (['accept', 'stub', 'drop'].includes(request.kind) && ok)) return
    assert.equal(record.state, before.state)
    assert.equal(record.accepted, before.accepted)
  })
})

test('a mark is lost only with its vote', () => {
  everyStep((before, request) => {
    const { record } = answer(before, request)
    if (before.chosen && !record.chosen && !record.isStub)
      assert.ok(orderOf(record.accepted, before.accepted) > 0)
  })
})

test('a record that does not change is the same object, so that nothing is written for it', () => {
  everyStep((before, request) => {
    const { ok, record } = answer(before, request)
    assert.equal(record === before, isDeepStrictEqual(record, before))
    if (!ok || request.kind === 'read') assert.equal(record, before)
  })
})

test('a request that arrives twice is answered and stored as if it had come once', () => {
  everyStep((before, request) => {
    const once = answer(before, request)
    const twice = answer(once.record, request)
    // A stub takes a prepare for a repeat of an older one when it is not above the promise.
    if (before.isStub && request.kind === 'prepare') return
    assert.equal(twice.ok, once.ok)
    assert.equal(twice.record, once.record)
  })
})
