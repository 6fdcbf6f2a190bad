import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from './text-arbitraries.ts'

test('any text is well-formed, and has characters of one to four bytes of UTF-8', () => {
  const lengths = new Set<number>()
  fc.assert(
    fc.property(anyText(), (text) => {
      assert.ok(text.isWellFormed())
      for (const character of text) lengths.add(Buffer.byteLength(character))
    }),
    { numRuns: 1_000 },
  )
  assert.deepEqual([...lengths].sort(), [1, 2, 3, 4])
})
