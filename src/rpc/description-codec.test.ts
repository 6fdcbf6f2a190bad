import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCount, anyMembership } from '../testing/message-arbitraries.ts'
import { optional, reference } from '../testing/wire-reference.ts'
import { decodeDescription, encodeDescription } from './description-codec.ts'

test('a description has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(fc.option(anyMembership, { nil: undefined }), anyCount, (membership, count) => {
      const counts = { recordCount: count, tombstoneCount: count, stubCount: count }
      const description = { nodeId: 'n', membership, version: '1.2.3', ...counts }
      const bytes = reference('DescribeAnswer', optional(description))
      assert.deepEqual(encodeDescription(description), bytes)
      assert.deepEqual(decodeDescription(bytes), description)
    }),
  )
})
