import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCount, anyMembership } from '../testing/message-arbitraries.ts'
import { optional, reference } from '../testing/wire-reference.ts'
import { decodeDescription, encodeDescription } from './description-codec.ts'

test('a description has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(
      fc.option(anyMembership, { nil: undefined }),
      anyCount,
      fc.option(fc.uint8Array(), { nil: undefined }),
      (membership, count, vote) => {
        const counts = {
          recordCount: count,
          tombstoneCount: count,
          stubCount: count,
          damagedCount: count,
          healedCount: count,
        }
        const known = { nodeId: 'n', membership, version: '1.2.3', ...counts }
        const description = vote === undefined ? known : { ...known, membershipVote: Buffer.from(vote) }
        const bytes = reference('DescribeAnswer', { ...optional(description), wireVersion: 1 })
        assert.deepEqual(encodeDescription(description), bytes)
        assert.deepEqual(decodeDescription(bytes), description)
      },
    ),
  )
})
