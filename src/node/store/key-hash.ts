/**
 * The keyed hash of a key: HalfSipHash-2-4 with 64 bits of output, over the UTF-16 units of the key in
 * little-endian order (Aumasson and Bernstein 2012, "SipHash: a fast short-input PRF"; the 32-bit form is of
 * its reference code).
 */

/** The two halves of a hash, each an integer below 2^32. */
export type KeyHash = Readonly<{ high: number; low: number }>

/** Two words that clients do not know. So a client cannot choose keys with equal hashes. */
export type HashSecret = readonly [number, number]

const ROUNDS_PER_WORD = 2
const ROUNDS_AT_END = 4

export function hashKey(key: string, [first, second]: HashSecret): KeyHash {
  const { length } = key
  const words = length >>> 1
  let v0 = first | 0
  let v1 = second ^ 0xee
  let v2 = 0x6c796765 ^ first
  let v3 = 0x74656462 ^ second
  let low = 0
  // Each step takes one word of the key, which is two units. Then comes a word with the length of the key and
  // its last odd unit, and then the two halves of the hash.
  for (let step = 0; ; step += 1) {
    const isKey = step < words
    const isEnd = step > words
    const word = isKey
      ? key.charCodeAt(2 * step) | (key.charCodeAt(2 * step + 1) << 16)
      : (length << 25) | (length & 1 ? key.charCodeAt(length - 1) : 0)
    if (!isEnd) v3 ^= word
    for (let round = isEnd ? ROUNDS_AT_END : ROUNDS_PER_WORD; round > 0; round -= 1) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 7) | (v3 >>> 25)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 13) | (v1 >>> 19)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
    if (isKey) v0 ^= word
    else if (step === words) {
      v0 ^= word
      v2 ^= 0xee
    } else if (step === words + 1) {
      low = (v1 ^ v3) >>> 0
      v1 ^= 0xdd
    } else return { high: (v1 ^ v3) >>> 0, low }
  }
}
