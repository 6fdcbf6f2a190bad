/**
 * How keys are spread over leaves, and what each record adds to the digest of its leaf (protocol.md §5).
 *
 * Both come from a hash that is keyed with a secret of the cluster, so that a client cannot choose keys that
 * all fall into one leaf. In a cluster without a secret the hash is keyed with zeros.
 */
import type { KeyRecord } from '../../register/messages.ts'
import { type HashSecret, hashKey, type KeyHash } from './key-hash.ts'

/** Digests are integers below this one. */
export const DIGEST_END = 2 ** 46

/** A digest has 32 bits of one hash of the record and this many bits of another. */
const LOW_BITS = 14

const LEAF_BITS = 16

/**
 * The digest of a record depends on its ballot and its write id only. Marks and promises do not change it.
 */
export type Digested = Pick<KeyRecord, 'accepted'> & Readonly<{ state: Pick<KeyRecord['state'], 'writeId'> }>

/** The secret from its 16 hexadecimal digits; `''`: there is none. */
export function readSecret(digits: string): HashSecret {
  if (digits === '') return [0, 0]
  return [Number.parseInt(digits.slice(0, 8), 16), Number.parseInt(digits.slice(8), 16)]
}

/** The leaf of a key, 0 to 65,535. */
export function leafOfHash({ high }: KeyHash): number {
  return high >>> (32 - LEAF_BITS)
}

/** What a record adds to the digest of its leaf, 0 to 2^46 - 1; 0 when it has accepted nothing. */
export function digestOfHash({ high, low }: KeyHash, { accepted, state: { writeId } }: Digested): number {
  if (accepted === undefined) return 0
  const { proposerId, sequence } = writeId
  const first = mixAll(low, accepted.round, accepted.proposerId, proposerId, sequence)
  const second = mixAll(high, accepted.round, accepted.proposerId, proposerId, sequence)
  return first * 2 ** LOW_BITS + (second >>> (32 - LOW_BITS))
}

/**
 * MurmurHash3 (32 bits, Appleby, public domain) of four integers below 2^53, seeded with a half of the key's
 * hash.
 */
function mixAll(seed: number, a: number, b: number, c: number, d: number): number {
  const hash = mixInteger(mixInteger(mixInteger(mixInteger(seed, a), b), c), d) ^ 32
  const first = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  const second = Math.imul(first ^ (first >>> 13), 0xc2b2ae35)
  return (second ^ (second >>> 16)) >>> 0
}

function mixInteger(hash: number, integer: number): number {
  return mixWord(mixWord(hash, integer >>> 0), Math.floor(integer / 2 ** 32))
}

function mixWord(hash: number, word: number): number {
  const scrambled = Math.imul(word, 0xcc9e2d51)
  const mixed = hash ^ Math.imul((scrambled << 15) | (scrambled >>> 17), 0x1b873593)
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

const NO_SECRET = readSecret('')

/** The leaf of a key in a cluster without a secret. */
export function leafOf(key: string): number {
  return leafOfHash(hashKey(key, NO_SECRET))
}

/** The digest of a record in a cluster without a secret. */
export function digestOf(key: string, record: Digested): number {
  return digestOfHash(hashKey(key, NO_SECRET), record)
}
