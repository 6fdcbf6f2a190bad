import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import type { Request } from '../register/messages.ts'
import { ABSENT } from '../register/state.ts'
import { anyKey, anyState, plain } from '../testing/message-arbitraries.ts'
import { wholeAnswer, wholeEntry } from '../testing/whole.ts'
import { rawMessage, reference } from '../testing/wire-reference.ts'
import * as codec from './batch-codec.ts'
import { decodeScanPage, encodeScanPage } from './scan-codec.ts'
import { receive, receiveToKeep, seal, unseal } from './state-codec.ts'

const anyWritten = anyState.filter((state) => state !== ABSENT && state.generation > 0)
const BALLOTS = { ballot: { round: 1, proposerId: 0 }, next: { round: 2, proposerId: 0 } }
const RECORD = { promised: { round: 2 }, accepted: { round: 1 } }
const EMPTY_BATCH = { clusterId: '', epoch: 0, nodeId: 'n', membership: undefined, sentMs: 0, lifeMs: 0 }

test('a sealed state is read back, and with any bit of it flipped, or for another key, it is refused', () => {
  fc.assert(
    fc.property(anyKey, anyWritten, fc.nat(), (key, state, at) => {
      const form = seal(key, state)
      assert.deepEqual(unseal(key, form), state)
      const bytes = Buffer.from(form.bytes)
      assert.equal(form.checksum, crc32(Buffer.concat([Buffer.from(key), bytes])) | 0)
      const bit = at % (8 * bytes.length)
      bytes[bit >> 3]! ^= 1 << (bit & 7)
      assert.throws(() => unseal(key, { ...form, bytes }), { name: 'DamagedStateError' })
      assert.throws(() => unseal(`${key}x`, form), { name: 'DamagedStateError' })
    }),
  )
})

test('the value is the end of the bytes of a state, so that SQL finds it', () => {
  fc.assert(
    fc.property(anyKey, anyWritten, (key, state) => {
      const { bytes, valueBytes } = seal(key, state)
      assert.equal(valueBytes, state.value?.length)
      if (state.value !== undefined && state.value.length > 0)
        assert.deepEqual(Buffer.from(bytes.subarray(-state.value.length)), Buffer.from(state.value))
    }),
  )
})

test('the bytes of a state travel, rest and return as they are, whatever else is in them', () => {
  const own = { proposerId: 7, sequence: 1 }
  // A field that this program does not know.
  const bytes = Buffer.concat([
    Buffer.from([0x7a, 1, 9]),
    reference('State', { generation: 1, lineage: [own], value: Buffer.from('v') }),
  ])
  const checksum = crc32(bytes, crc32('group/x')) | 0
  const state = receiveToKeep('group/x', bytes, checksum)
  assert.deepEqual(Buffer.from(seal('group/x', state).bytes), bytes)
  assert.deepEqual(unseal('group/x', { ...seal('group/x', state) }), state)
  const record = {
    promised: BALLOTS.next,
    accepted: BALLOTS.ballot,
    state,
    chosen: false,
    isStub: false,
  }
  const page = encodeScanPage([{ key: 'group/x', record }], false)
  assert.ok(page.includes(bytes))
  assert.deepEqual(wholeEntry(decodeScanPage(page)[0]!).record.state, state)
  // A connector that remembers a state would keep the whole message alive with its bytes.
  const remembered = receive('group/x', bytes, checksum)
  assert.notEqual(seal('group/x', remembered).bytes, bytes)
})

test('a node refuses a batch with a state that does not have its checksum, and takes one without a checksum', () => {
  const anyKind = fc.constantFrom('accept' as const, 'learn' as const)
  fc.assert(
    fc.property(anyKey, anyWritten, anyKind, (key, state, kind) => {
      const request: Request = { kind, ...BALLOTS, state }
      const { generation, lineage, value } = state
      const parts = { ...BALLOTS, state: { generation, lineage, ...(value && { value }) } }
      const batchOf = (stateChecksum: number | undefined) =>
        rawMessage('RequestBatch', {
          batchId: 2,
          nodeId: 'n',
          requests: [{ key, [kind]: { ...parts, ...(stateChecksum !== undefined && { stateChecksum }) } }],
        })
      const right = seal(key, state).checksum >>> 0
      const expected = { ...EMPTY_BATCH, batchId: 2, requests: [{ key, request }] }
      assert.deepEqual(codec.decodeRequestBatch(batchOf(right)), expected)
      assert.deepEqual(codec.decodeRequestBatch(batchOf(undefined)), expected)
      assert.throws(() => codec.decodeRequestBatch(batchOf((right ^ 1) >>> 0)), {
        name: 'WireError',
        message: /does not have its checksum/,
      })
    }),
  )
})

test('a key that comes after the request is read before it', () => {
  const own = { proposerId: 7, sequence: 1 }
  const state = { generation: 1, lineage: [own], value: Buffer.from('v') }
  const stateChecksum = seal('group/x', { ...state, writeId: own }).checksum >>> 0
  const accept = rawMessage('Request', { accept: { ...BALLOTS, state, stateChecksum } })
  const request = Buffer.concat([accept, Buffer.from([10, 7]), Buffer.from('group/x')])
  const batch = rawMessage('RequestBatch', { batchId: 2, nodeId: 'n' })
  const bytes = Buffer.concat([batch, Buffer.from([50, request.length]), request])
  assert.equal(codec.decodeRequestBatch(bytes).requests[0]?.key, 'group/x')
})

test('an answer with a state that does not have its checksum counts for nothing, and the others count', () => {
  const own = { proposerId: 7, sequence: 1 }
  const state = { generation: 1, lineage: [own], value: Buffer.from('v') }
  const keys = ['group/a', 'group/b', 'group/c']
  const requests = keys.map((key) => ({ key, request: { kind: 'read' } as const }))
  const right = keys.map((key) => seal(key, { ...state, writeId: own }).checksum >>> 0)
  const sums = [right[0]!, right[0]!, right[2]!]
  const answers = sums.map((stateChecksum) => ({ ok: true, record: { ...RECORD, state, stateChecksum } }))
  const batch = codec.decodeAnswerBatch(rawMessage('AnswerBatch', { batchId: 2, answers }), {
    batchId: 2,
    requests,
  })
  assert.deepEqual(
    batch.answers.map((answer) => answer && wholeAnswer(answer).record.state.writeId),
    [own, undefined, own],
  )
})

test('a page of a scan with a state that does not have its checksum is refused', () => {
  fc.assert(
    fc.property(plain({ key: anyKey, state: anyWritten }), ({ key, state }) => {
      const { generation, lineage, value } = state
      const record = { ...RECORD, state: { generation, lineage, ...(value && { value }) }, stateChecksum: 1 }
      const page = rawMessage('ScanPage', { entries: [{ key, record }] })
      if (seal(key, state).checksum >>> 0 !== 1) assert.throws(() => decodeScanPage(page), /its checksum/)
    }),
  )
})
