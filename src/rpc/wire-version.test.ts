import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rawMessage } from '../testing/wire-reference.ts'
import {
  decodeAnswerBatch,
  decodeRequestBatch,
  encodeAnswerBatch,
  encodeRequestBatch,
} from './batch-codec.ts'
import { decodeDescription, encodeDescription } from './description-codec.ts'

const batchOf = (fields: object) => rawMessage('RequestBatch', { batchId: 1, nodeId: 'n', ...fields })
const answerOf = (fields: object) => rawMessage('AnswerBatch', { batchId: 1, ...fields })
const descriptionOf = (fields: object) => rawMessage('DescribeAnswer', { nodeId: 'n', ...fields })
const asked = { batchId: 1, requests: [] }

const READERS = {
  'a first batch': (fields: object) => decodeRequestBatch(batchOf(fields)),
  'a first answer': (fields: object) => decodeAnswerBatch(answerOf(fields), asked),
  'a description': (fields: object) => decodeDescription(descriptionOf(fields)),
}

for (const [what, read] of Object.entries(READERS)) {
  test(`${what} from a program that says no version, or one that understands ours, is taken`, () => {
    read({})
    read({ wireVersion: 1 })
    read({ wireVersion: 7, wireVersionUnderstood: 1 })
  })

  test(`${what} from a program that understands no version as old as ours is refused with a sentence`, () => {
    assert.throws(() => read({ wireVersion: 7, wireVersionUnderstood: 2 }), {
      name: 'WireVersionError',
      message:
        /^the (node|connector) speaks version 7 of the wire and understands none below 2, but this program speaks version 1 .*: upgrade the older of the two$/,
    })
  })
}

test('the versions are read before the rest, which may be of a form that nobody knows yet', () => {
  const versions = { wireVersion: 7, wireVersionUnderstood: 7 }
  const unknown = Buffer.from([50, 2, 0x7a, 0])
  assert.throws(() => decodeRequestBatch(Buffer.concat([batchOf({}), unknown, batchOf(versions)])), {
    name: 'WireVersionError',
  })
})

test('only the first batch of a stream and its answer say a version, and every description does', () => {
  const batch = {
    clusterId: '',
    epoch: 0,
    nodeId: 'n',
    membership: undefined,
    sentMs: 0,
    lifeMs: 0,
    requests: [],
  }
  const lengthOf = (batchId: number) => encodeRequestBatch({ ...batch, batchId }).length
  assert.equal(lengthOf(1), lengthOf(2) + 2)
  const answer = { answers: [], mismatch: undefined }
  const answerLengthOf = (batchId: number) => encodeAnswerBatch({ ...answer, batchId }, []).length
  assert.equal(answerLengthOf(1), answerLengthOf(2) + 2)
  const counts = { recordCount: 0, tombstoneCount: 0, stubCount: 0, damagedCount: 0, healedCount: 0 }
  const described = encodeDescription({ nodeId: 'n', membership: undefined, version: '', ...counts })
  assert.deepEqual([...described.subarray(-2)], [56, 1])
})
