import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashKey } from './key-hash.ts'

/** The vectors of the reference code are for the bytes 0, 1, 2 … and for a key of such bytes. */
function hashOfBytes(length: number): string {
  const bytes = Buffer.from(Array.from({ length }, (_, index) => index))
  const { high, low } = hashKey(bytes.toString('utf16le'), [0x03020100, 0x07060504])
  const hash = Buffer.alloc(8)
  hash.writeUInt32LE(low, 0)
  hash.writeUInt32LE(high, 4)
  return hash.toString('hex')
}

test('a key is hashed as the reference code of HalfSipHash-2-4 does it', () => {
  const known = {
    0: '218d1f59b9b83cc8',
    2: '064f39ef7c50eb57',
  }
  for (const [length, hash] of Object.entries(known)) assert.equal(hashOfBytes(Number(length)), hash)
})

test('keys of every length have different hashes, and so has one key under different secrets', () => {
  const hashes = new Set<string>()
  for (let length = 0; length <= 300; length += 1) {
    for (const secret of [
      [0, 0],
      [1, 0],
      [0, 1],
      [0x80000000, 0],
    ] as const) {
      const { high, low } = hashKey('k'.repeat(length), secret)
      hashes.add(`${high} ${low}`)
    }
  }
  assert.equal(hashes.size, 301 * 4)
})
