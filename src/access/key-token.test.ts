import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashToken, idOfToken, KEY_ID, newToken } from './key-token.ts'

test('a key has the form that programs which search for leaked secrets find', () => {
  const token = newToken(randomBytes)
  assert.match(token, /^cohort_[0-9A-Za-z]{36}$/)
  assert.match(idOfToken(token) ?? '', new RegExp(KEY_ID))
  assert.equal(idOfToken(token), token.slice(7, 15))
})

test('every new key is read back, and two are never equal', () => {
  const tokens = Array.from({ length: 500 }, () => newToken(randomBytes))
  for (const token of tokens) assert.notEqual(idOfToken(token), undefined)
  assert.equal(new Set(tokens).size, tokens.length)
  assert.equal(new Set(tokens.map(idOfToken)).size, tokens.length)
})

test('the id can be given, and the rest is new', () => {
  const [a, b] = [newToken(randomBytes, 'k7Gh3abc'), newToken(randomBytes, 'k7Gh3abc')]
  assert.equal(idOfToken(a), 'k7Gh3abc')
  assert.equal(idOfToken(b), 'k7Gh3abc')
  assert.notEqual(a, b)
})

test('a key with one wrong character, a missing one or one too many is not a key', () => {
  const token = newToken(randomBytes)
  fc.assert(
    fc.property(fc.nat(token.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
      const other = token.slice(0, at) + character + token.slice(at + 1)
      assert.equal(idOfToken(other), other === token ? token.slice(7, 15) : undefined)
    }),
  )
  for (const other of [
    '',
    'cohort_',
    token.slice(1),
    token.slice(0, -1),
    `${token}0`,
    ` ${token}`,
    token.toUpperCase(),
  ]) {
    assert.equal(idOfToken(other), undefined, other)
  }
})

test('the check digits are the CRC-32 of the 30 characters before them, in base62', () => {
  // Computed with the zlib of Python.
  const token = newToken((count) => new Uint8Array(count))
  assert.equal(token, `cohort_${'0'.repeat(30)}${CHECK_OF_ZEROS}`)
})

test('all characters are drawn with the same probability', () => {
  const drawn = new Map<string, number>()
  for (let byte = 0; byte < 248; byte += 1) {
    const character = newToken((count) => new Uint8Array(count).fill(byte))[7]!
    drawn.set(character, (drawn.get(character) ?? 0) + 1)
  }
  assert.deepEqual([...drawn.values()], Array(62).fill(4))
  // The other bytes would favour the first eight characters.
  for (let byte = 248; byte < 256; byte += 1) {
    const token = newToken((count) => new Uint8Array(count).fill(61).fill(byte, 0, 1))
    assert.equal(token.slice(7, 37), 'z'.repeat(30))
  }
})

test('the hash is SHA-256 of the whole key', () => {
  assert.equal(
    hashToken('abc').toString('hex'),
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  )
})

const CHECK_OF_ZEROS = '2C8GjS'
