import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../testing/text-arbitraries.ts'
import { compareKeys, successorKey } from './key-order.ts'

test('keys are in the order of their UTF-8 bytes', () => {
  // Few characters, so that keys share beginnings; on both sides of the surrogates, whose order UTF-16 has
  // otherwise.
  const key = fc.string({ unit: fc.constantFrom('a', 'b', 'é', '퟿', '', '�', '𐀀', '😀', '\0') })
  fc.assert(
    fc.property(fc.oneof(key, anyText({ maxLength: 6 })), key, (a, b) => {
      assert.equal(Math.sign(compareKeys(a, b)), Buffer.compare(Buffer.from(a), Buffer.from(b)))
    }),
  )
})

test('nothing comes between a key and its successor', () => {
  assert.ok(compareKeys('a', successorKey('a')) < 0)
  assert.ok(compareKeys(successorKey('a'), 'a\0\0') < 0)
})
