import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { answer, EMPTY_RECORD } from '../register/acceptor.ts'
import { PLAUSIBLE_ROUND_MAX, ROUND_MAX } from '../register/ballot.ts'
import type { Reply } from '../register/messages.ts'
import { ABSENT, GENERATION_MAX } from '../register/state.ts'
import { anyCount, anyKeyedRequest, anyMembership, anyRecord, plain } from '../testing/message-arbitraries.ts'
import { wholeAnswer } from '../testing/whole.ts'
import { optional, reference, wireAnswer, wireRequest } from '../testing/wire-reference.ts'
import * as codec from './batch-codec.ts'
import type { AnswerBatch, KeyedRequest, RequestBatch } from './messages.ts'
import { WireError } from './wire.ts'

function aBatch(parts: Partial<RequestBatch>): RequestBatch {
  const header = {
    batchId: 1,
    clusterId: 'c',
    epoch: 1,
    nodeId: 'n',
    membership: undefined,
    sentMs: 5,
    lifeMs: 0,
  }
  return { ...header, requests: [], ...parts }
}

const anyRequestBatch = plain({
  batchId: anyCount,
  clusterId: fc.uuid(),
  epoch: anyCount,
  nodeId: fc.uuid(),
  membership: fc.option(anyMembership, { nil: undefined }),
  sentMs: fc.oneof(fc.constant(0), anyCount),
  lifeMs: fc.oneof(fc.constant(0), anyCount),
  requests: fc.array(anyKeyedRequest, { maxLength: 8 }),
})

test('a request batch has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(anyRequestBatch, (batch) => {
      const { membership, requests, ...header } = batch
      const expected = reference('RequestBatch', {
        ...header,
        ...optional({ membership }),
        requests: requests.map(wireRequest),
        ...versionIn(batch),
      })
      assert.deepEqual(codec.encodeRequestBatch(batch), expected)
      assert.deepEqual(codec.decodeRequestBatch(expected), batch)
    }),
  )
})

/** The first batch of a stream, and its answer, say the version of the wire. */
function versionIn({ batchId }: Readonly<{ batchId: number }>): object {
  return batchId === 1 ? { wireVersion: 1 } : {}
}

test('the bytes of a batch do not depend on the batches before, whatever requests they had in common', () => {
  const anyBatches = fc
    .array(anyKeyedRequest, { minLength: 1, maxLength: 3 })
    .chain((requests) =>
      fc.array(
        plain({ nodeId: fc.uuid(), requests: fc.array(fc.constantFrom(...requests), { maxLength: 3 }) }),
      ),
    )
  fc.assert(
    fc.property(anyBatches, (batches) => {
      for (const parts of batches) {
        const batch = aBatch(parts)
        assert.deepEqual(codec.decodeRequestBatch(codec.encodeRequestBatch(batch)), batch)
      }
    }),
  )
})

test('a request is not taken for one of another key', () => {
  const request = { kind: 'read' } as const
  for (const key of ['group/a', 'group/b']) {
    const batch = aBatch({ requests: [{ key, request }] })
    assert.deepEqual(codec.decodeRequestBatch(codec.encodeRequestBatch(batch)), batch)
  }
})

/**
 * A request, and what a node with any record answers; one refusal in two carries the state of the request.
 */
const anyExchange = plain({
  keyed: anyKeyedRequest,
  record: anyRecord,
  promiseBound: fc.option(fc.nat(PLAUSIBLE_ROUND_MAX), { nil: undefined, freq: 4 }),
  isRight: fc.boolean(),
  isSame: fc.boolean(),
}).map(({ keyed, record, promiseBound, isRight, isSame }): { keyed: KeyedRequest; answer: Reply } => {
  const { request } = keyed
  if (promiseBound !== undefined) return { keyed, answer: { promiseBound } }
  if (isRight) return { keyed, answer: answer(record, request) }
  const isSent = isSame && 'state' in request && record.accepted !== undefined
  return { keyed, answer: { ok: false, record: isSent ? { ...record, state: request.state } : record } }
})

test('answers have the bytes that node.proto says, and are completed with the requests they answer', () => {
  fc.assert(
    fc.property(fc.array(anyExchange, { maxLength: 8 }), anyCount, (exchanges, batchId) => {
      const requests = exchanges.map(({ keyed }) => keyed)
      const answered = exchanges.filter(({ keyed }) => keyed.request.kind !== 'mark')
      const batch = { batchId, answers: answered.map(({ answer }) => answer), mismatch: undefined }
      const expected = reference('AnswerBatch', {
        batchId,
        answers: answered.map(({ keyed, answer }) => wireAnswer(keyed, answer)),
        ...versionIn(batch),
      })
      assert.deepEqual(codec.encodeAnswerBatch(batch, requests), expected)
      assert.deepEqual(codec.decodeAnswerBatch(expected, { batchId, requests }), batch)
    }),
  )
})

test('a mismatch has the bytes that node.proto says', () => {
  fc.assert(
    fc.property(fc.option(anyMembership, { nil: undefined }), anyCount, (membership, batchId) => {
      const batch: AnswerBatch = { batchId, answers: [], mismatch: { nodeId: 'n', membership } }
      const mismatch = { nodeId: 'n', ...optional({ membership }) }
      const wireBatch = { batchId, mismatch, ...versionIn(batch) }
      assert.deepEqual(codec.encodeAnswerBatch(batch, []), reference('AnswerBatch', wireBatch))
      assert.deepEqual(
        codec.decodeAnswerBatch(codec.encodeAnswerBatch(batch, []), { batchId, requests: [] }),
        batch,
      )
    }),
  )
})

test('bytes that are cut off or changed anywhere are either read or refused', () => {
  fc.assert(
    fc.property(anyRequestBatch, fc.nat(), fc.nat(), fc.nat(255), (batch, cut, at, byte) => {
      const bytes = codec.encodeRequestBatch(batch)
      const changed = Buffer.from(bytes)
      changed[at % changed.length] = byte
      for (const bad of [bytes.subarray(0, cut % bytes.length), changed]) {
        try {
          codec.decodeRequestBatch(bad)
        } catch (error) {
          assert.ok(error instanceof WireError, String(error))
        }
      }
    }),
    { numRuns: 1000 },
  )
})

test('a field that this version does not know is skipped', () => {
  const bytes = codec.encodeRequestBatch(aBatch({}))
  const withUnknown = Buffer.concat([bytes, Buffer.from([15 * 8 + 2, 3, 1, 2, 3, 14 * 8, 200, 1])])
  assert.deepEqual(codec.decodeRequestBatch(withUnknown), aBatch({}))
})

const ballot = { round: 3 }
const next = { round: 4 }
const written = { generation: 1, lineage: [{ proposerId: 7, sequence: 1 }] }
const lineageOf = (length: number) => Array.from({ length }, (_, i) => ({ proposerId: 7, sequence: i + 1 }))

const REFUSED: [string, RegExp, object][] = [
  ['a key of no namespace', /'other\/x' is in none of the namespaces/, { key: 'other/x', read: {} }],
  ['no key', /a request has no key/, { read: {} }],
  ['a key with NUL', /NUL/, { key: 'group/\0', read: {} }],
  ['an endless key', /longer than 4096/, { key: `group/${'x'.repeat(5000)}`, read: {} }],
  ['no kind', /about 'group\/x' is of no known kind/, { key: 'group/x' }],
  ['a prepare without ballot', /a prepare has no ballot/, { key: 'group/x', prepare: {} }],
  [
    'a ballot without round',
    /a ballot has no round/,
    { key: 'group/x', prepare: { ballot: { proposerId: 1 } } },
  ],
  [
    'a proposer id of 2^52',
    /above 2\^52 - 1/,
    { key: 'group/x', prepare: { ballot: { round: 1, proposerId: 2 ** 52 } } },
  ],
  ['an accept without state', /the state is missing/, { key: 'group/x', accept: { ballot, next } }],
  ['an accept without ballot', /the ballot is missing/, { key: 'group/x', accept: { state: written, next } }],
  [
    'an accept without next',
    /the next ballot is missing/,
    { key: 'group/x', accept: { ballot, state: written } },
  ],
  [
    'next at the ballot',
    /not above the ballot/,
    { key: 'group/x', learn: { ballot: next, state: written, next: ballot } },
  ],
  [
    'a generation without lineage',
    /generation 1 has no lineage/,
    { key: 'group/x', accept: { ballot, state: { generation: 1 }, next } },
  ],
  [
    'a lineage too short',
    /generation 5 has a lineage of 1/,
    { key: 'group/x', accept: { ballot, state: { ...written, generation: 5 }, next } },
  ],
  [
    'a lineage too long',
    /longer than 16/,
    { key: 'group/x', accept: { ballot, state: { generation: 17, lineage: lineageOf(17) }, next } },
  ],
  [
    'absent with a value',
    /generation 0 has a value/,
    { key: 'group/x', accept: { ballot, state: { value: Buffer.from('x') }, next } },
  ],
  [
    'absent with a lineage',
    /generation 0 has a lineage/,
    { key: 'group/x', accept: { ballot, state: { lineage: lineageOf(1) }, next } },
  ],
  [
    'a round number above the highest',
    /a round number is above 2\^48/,
    { key: 'group/x', prepare: { ballot: { round: 2 ** 48 + 1 } } },
  ],
  [
    'a next above the highest round number',
    /a round number is above 2\^48/,
    { key: 'group/x', accept: { ballot, state: written, next: { round: 2 ** 48 + 1 } } },
  ],
  [
    'a generation above the highest',
    /a generation is above 2\^48/,
    { key: 'group/x', learn: { ballot, state: { generation: 2 ** 48 + 1, lineage: lineageOf(16) }, next } },
  ],
  ['a mark without write id', /a mark has no write id/, { key: 'group/x', mark: { ballot } }],
  ['half a write id', /half empty/, { key: 'group/x', mark: { ballot, writeId: { sequence: 1 } } }],
]

for (const [what, reason, request] of REFUSED) {
  test(`${what} is refused, with the reason`, () => {
    const bytes = reference('RequestBatch', { batchId: 1, nodeId: 'n', requests: [request] })
    assert.throws(() => codec.decodeRequestBatch(bytes), { name: 'WireError', message: reason })
  })
}

test('an integer of 2^53 or more is refused', () => {
  for (const value of ['9007199254740992', '18446744073709551615']) {
    const bytes = new protobuf.Writer().uint32(8).uint64(value).finish()
    assert.throws(() => codec.decodeRequestBatch(bytes), { message: /above 2\^53 - 1/ })
  }
})

test('a key that is not UTF-8 is refused, and one that has U+FFFD is not', () => {
  const bytes = codec.encodeRequestBatch(
    aBatch({ requests: [{ key: 'group/ab', request: { kind: 'read' } }] }),
  )
  bytes[bytes.indexOf('ab')] = 0xff
  assert.throws(() => codec.decodeRequestBatch(bytes), { name: 'WireError' })
  const fine = aBatch({ requests: [{ key: 'group/\ufffd', request: { kind: 'read' } }] })
  assert.deepEqual(codec.decodeRequestBatch(codec.encodeRequestBatch(fine)), fine)
})

test('answers that do not fit their requests are refused', () => {
  const requests: KeyedRequest[] = [{ key: 'group/x', request: { kind: 'read' } }]
  const decode = (message: object) =>
    codec.decodeAnswerBatch(reference('AnswerBatch', message), { batchId: 1, requests })
  const record = { promised: { round: 1 } }
  assert.deepEqual(decode({ batchId: 1, answers: [{ ok: true, record }] }).answers, [
    { ok: true, record: { ...EMPTY_RECORD, state: ABSENT } },
  ])
  assert.throws(() => decode({ batchId: 1 }), { message: /fewer answers/ })
  assert.throws(() => decode({ batchId: 1, answers: [{ record }, { record }] }), { message: /more answers/ })
  assert.throws(() => decode({ batchId: 1, answers: [{ ok: true }] }), { message: /no record/ })
  assert.throws(() => decode({ batchId: 1, answers: [{ record, sameState: true }] }), {
    message: /did not carry/,
  })
  assert.throws(() => decode({ answers: [] }), { message: /no batch id/ })
  const bad = { promised: { round: 1 }, accepted: { round: 1 } }
  assert.throws(() => decode({ batchId: 1, answers: [{ record: bad }] }), {
    message: /not below the promised/,
  })
  assert.throws(() => codec.decodeAnswerBatch(reference('AnswerBatch', { batchId: 9 }), undefined), {
    message: /answers batch 9, and no batch is in flight/,
  })
  assert.throws(() => decode({ batchId: 9, answers: [{ record }] }), { message: /batch 9 before batch 1/ })
})

const OWN = [{ proposerId: 7, sequence: 1 }]
const VOTE = { promised: { round: 5 }, accepted: { round: 4 }, state: { generation: 1, lineage: OWN } }
const CONTRADICTIONS: [string, KeyedRequest['request'], object][] = [
  ['a promise of another ballot', { kind: 'prepare', ballot: { round: 4, proposerId: 7 } }, VOTE],
  ['a vote at another ballot', { ...anAccept(5), kind: 'accept' }, VOTE],
  [
    'a vote for another state',
    { ...anAccept(4), kind: 'accept' },
    { ...VOTE, state: { generation: 1, lineage: [{ proposerId: 8, sequence: 1 }] } },
  ],
  ['a vote that is not there', { ...anAccept(4), kind: 'accept' }, { promised: { round: 5 } }],
  ['a lesson that was not learned', { ...anAccept(5), kind: 'learn' }, VOTE],
  ['a stub that has a vote', { kind: 'stub', ballot: { round: 4, proposerId: 0 }, writeId: OWN[0]! }, VOTE],
  [
    'a dropped stub that is there',
    { kind: 'drop', promised: { round: 5, proposerId: 0 } },
    { promised: { round: 5 }, isStub: true },
  ],
]

for (const [what, request, record] of CONTRADICTIONS) {
  test(`an ok that its own record contradicts is refused: ${what}`, () => {
    const oldest = { batchId: 1, requests: [{ key: 'group/x', request }] }
    const bytes = (ok: boolean) => reference('AnswerBatch', { batchId: 1, answers: [{ ok, record }] })
    assert.throws(() => codec.decodeAnswerBatch(bytes(true), oldest), {
      name: 'WireError',
      message: /has a record that does not show it/,
    })
    assert.equal(wholeAnswer(codec.decodeAnswerBatch(bytes(false), oldest).answers[0]).ok, false)
  })
}

test('an answer with numbers that no node accepts is ignored, and the others of its batch count', () => {
  const requests: KeyedRequest[] = ['a', 'b', 'c'].map((id) => ({
    key: `group/${id}`,
    request: { kind: 'read' },
  }))
  const answers = [
    { ok: true, record: { promised: { round: ROUND_MAX } } },
    { ok: true, record: { promised: { round: ROUND_MAX + 1 } } },
    {
      ok: true,
      record: {
        promised: { round: 3 },
        accepted: { round: 2 },
        state: { generation: GENERATION_MAX + 1, lineage: lineageOf(16) },
      },
    },
  ]
  const batch = codec.decodeAnswerBatch(reference('AnswerBatch', { batchId: 1, answers }), {
    batchId: 1,
    requests,
  })
  assert.deepEqual(
    batch.answers.map((answer) => answer && wholeAnswer(answer).record.promised.round),
    [ROUND_MAX, undefined, undefined],
  )
})

/** What an accept and a learn of a first state have in common. */
function anAccept(round: number) {
  const state = { generation: 1, writeId: OWN[0]!, lineage: OWN, value: undefined }
  return { ballot: { round, proposerId: 0 }, state, next: { round: round + 1, proposerId: 0 } }
}

test('an answer with a damage has nothing else, and a bound that a node can have', () => {
  const oldest = { batchId: 1, requests: [{ key: 'group/x', request: { kind: 'read' } as const }] }
  const decode = (answer: object) =>
    codec.decodeAnswerBatch(reference('AnswerBatch', { batchId: 1, answers: [answer] }), oldest)
  const damage = { promiseBound: PLAUSIBLE_ROUND_MAX }
  assert.deepEqual(decode({ damage }).answers, [damage])
  for (const [answer, message] of [
    [{ damage, ok: true }, /both a damage and a record/],
    [{ damage, record: { promised: { round: 1 } } }, /both a damage and a record/],
    [{ damage: { promiseBound: PLAUSIBLE_ROUND_MAX + 1 } }, /a promise bound is above 2\^44/],
  ] as const)
    assert.throws(() => decode(answer), { name: 'WireError', message })
})
