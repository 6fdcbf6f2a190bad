import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCount, anyMembership } from '../testing/message-arbitraries.ts'
import { optional, reference } from '../testing/wire-reference.ts'
import {
  decodeDigestAnswer,
  decodeDigestRequest,
  encodeDigestAnswer,
  encodeDigestRequest,
} from './digest-codec.ts'

test('a digest request has the bytes that node.proto says, and is read back as it was', () => {
  const anyBranches = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 20 })
  fc.assert(
    fc.property(anyBranches, anyCount, (branches, epoch) => {
      const request = { clusterId: 'c', epoch, nodeId: 'n', branches }
      assert.deepEqual(encodeDigestRequest(request), reference('DigestRequest', request))
      assert.deepEqual(decodeDigestRequest(encodeDigestRequest(request)), request)
    }),
  )
})

test('a digest answer has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(fc.option(anyMembership, { nil: undefined }), anyCount, (membership, count) => {
      const answer = { digests: [0, count, 2 ** 46 - 1], mismatch: { nodeId: 'n', membership } }
      const bytes = reference('DigestAnswer', {
        ...answer,
        mismatch: { nodeId: 'n', ...optional({ membership }) },
      })
      assert.deepEqual(encodeDigestAnswer(answer), bytes)
      assert.deepEqual(decodeDigestAnswer(bytes), answer)
    }),
  )
})

test('a digest request for what does not exist is refused with the reason', () => {
  const refused = (branches: number[], reason: RegExp) =>
    assert.throws(() => decodeDigestRequest(reference('DigestRequest', { branches })), {
      name: 'WireError',
      message: reason,
    })
  refused([256], /no branch 256/)
  refused(Array(257).fill(0), /more than 256 integers/)
})
