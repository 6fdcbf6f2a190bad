import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCount, anyKey, anyMembership, plain } from '../testing/message-arbitraries.ts'
import { rawMessage, reference } from '../testing/wire-reference.ts'
import {
  decodeChangesAnswer,
  decodeChangesRequest,
  encodeChangesAnswer,
  encodeChangesRequest,
} from './changes-codec.ts'
import { WireError } from './wire.ts'

const anyFlags = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean())
const anyPosition = plain({ life: fc.uuid(), number: anyCount })

test('a request for changes has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(fc.option(anyPosition, { nil: undefined }), anyCount, (from, count) => {
      const request = { clusterId: 'c', epoch: count, nodeId: 'n', from, waitMs: count }
      const bytes = reference('ChangesRequest', {
        clusterId: 'c',
        epoch: count,
        nodeId: 'n',
        ...(from && { life: from.life, after: from.number }),
        waitMs: count,
      })
      assert.deepEqual(encodeChangesRequest(request), bytes)
      assert.deepEqual(decodeChangesRequest(bytes), request)
    }),
  )
})

test('an answer with changes has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(anyPosition, fc.array(anyKey), anyFlags, (at, keys, [begins, isTooEarly, hasMore]) => {
      const answer = { at, keys, begins, isTooEarly, hasMore, mismatch: undefined }
      const bytes = reference('ChangesAnswer', {
        ...at,
        keys,
        ...(begins ? { begins } : {}),
        ...(isTooEarly ? { isTooEarly } : {}),
        ...(hasMore ? { hasMore } : {}),
      })
      assert.deepEqual(encodeChangesAnswer(answer), bytes)
      assert.deepEqual(decodeChangesAnswer(bytes), answer)
    }),
  )
})

test('an answer of a node in another epoch has no position and names its membership', () => {
  fc.assert(
    fc.property(anyMembership, (membership) => {
      const mismatch = { nodeId: 'n', membership }
      const answer = { at: undefined, keys: [], begins: true, isTooEarly: false, hasMore: false, mismatch }
      assert.deepEqual(decodeChangesAnswer(encodeChangesAnswer(answer)), answer)
    }),
  )
})

test('an answer without a position, with a key of no namespace, or with endless keys is refused', () => {
  const answers = [
    {},
    { life: 'x', keys: ['nowhere'] },
    { life: 'x', keys: Array(131_073).fill('group/a') },
  ] as const
  for (const answer of answers)
    assert.throws(() => decodeChangesAnswer(rawMessage('ChangesAnswer', answer)), WireError)
})
