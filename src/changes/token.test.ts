import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodePlace, encodePlace, nameInPlace } from './token.ts'

const anyPosition = fc.record(
  { life: fc.string({ minLength: 1, maxLength: 16 }), number: fc.maxSafeNat() },
  { noNullPrototype: true },
)

test('a place is read back as it was, and needs no encoding in a URL or a header', () => {
  fc.assert(
    fc.property(
      fc.maxSafeNat(),
      fc.array(fc.tuple(fc.uuid().map(nameInPlace), anyPosition), { maxLength: 7 }),
      (epoch, nodes) => {
        const place = { epoch, positions: new Map(nodes) }
        const token = encodePlace(place)
        assert.match(token, /^[\w-]+$/)
        assert.deepEqual(decodePlace(token), place)
      },
    ),
  )
})

test('what is no place is none, whatever it is', () => {
  fc.assert(fc.property(fc.string(), (text) => assert.equal(decodePlace(text), undefined)))
  fc.assert(
    fc.property(fc.json(), (text) => {
      const token = Buffer.from(text).toString('base64url')
      assert.equal(decodePlace(token), undefined)
    }),
  )
  assert.equal(decodePlace('x'.repeat(3_000)), undefined)
  const future = Buffer.from(JSON.stringify([2, 1])).toString('base64url')
  assert.equal(decodePlace(future), undefined)
})
