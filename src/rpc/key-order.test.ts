import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../testing/text-arbitraries.ts'
import { compareKeys, keyAfterPrefix, successorKey } from './key-order.ts'

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

test('exactly the keys from a prefix to the key after it begin with the prefix', () => {
  const unit = fc.constantFrom(
    '\0',
    'a',
    'b',
    '~',
    '\ud7ff',
    '\ue000',
    '\uffff',
    '𐀀',
    '\u{10fffe}',
    '\u{10ffff}',
  )
  const text = fc.oneof(fc.string({ unit, maxLength: 5 }), anyText({ maxLength: 5 }))
  fc.assert(
    fc.property(text, fc.oneof(text, fc.tuple(text, text)), (prefix, drawn) => {
      // Half of the keys begin with the prefix.
      const key = typeof drawn === 'string' ? drawn : prefix + drawn[0]
      const end = keyAfterPrefix(prefix)
      const isInRange = compareKeys(key, prefix) >= 0 && (end === undefined || compareKeys(key, end) < 0)
      assert.equal(isInRange, key.startsWith(prefix))
    }),
  )
  assert.equal(keyAfterPrefix('a\u{10ffff}\u{10ffff}'), 'b')
  assert.equal(keyAfterPrefix(''), undefined)
  assert.equal(keyAfterPrefix('\u{10ffff}'), undefined)
})
