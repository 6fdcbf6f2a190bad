/**
 * Digests of what a node has accepted, kept up with every write, so that connectors can tell in kilobytes whether two
 * nodes hold the same, and where they do not (protocol.md §5).
 *
 * Keys are spread by a hash over 65,536 leaves; 256 consecutive leaves make a branch. The digest of a leaf is the sum of
 * a hash for each of its records, modulo 2^46: it does not depend on the order of the writes, and a record is taken out
 * again by subtraction (Bellare and Micciancio 1997, "A New Paradigm for Collision-Free Hashing", AdHash). It is meant
 * for chance, not for malice: two different leaves look alike once in 2^46.
 */
import xxhash from 'xxhash-wasm'
import type { KeyRecord } from '../register/messages.ts'
import { BRANCH_COUNT, LEAF_COUNT, LEAVES_PER_BRANCH } from '../rpc/messages.ts'

const { h32 } = await xxhash()

/** Digests are integers below this one. 131,072 of them still add up within a 64-bit integer, as SQLite does it. */
export const DIGEST_END = 2 ** 46

/** Seeds that make two hashes of one text. */
const HIGH_SEED = 1
const LOW_SEED = 2
const LOW_BITS = 14

/** The leaf of a key, 0 to 65,535: the upper 16 bits of its xxHash32. */
export function leafOf(key: string): number {
  return h32(key) >>> 16
}

/** What a record adds to the digest of its leaf, 0 to 2^46 - 1. 0 when it has accepted nothing. */
export function digestOf(key: string, { accepted, state }: KeyRecord): number {
  if (accepted === undefined) return 0
  const { proposerId, sequence } = state.writeId
  const text = `${accepted.round}.${accepted.proposerId} ${proposerId}.${sequence} ${key}`
  return h32(text, HIGH_SEED) * 2 ** LOW_BITS + (h32(text, LOW_SEED) >>> (32 - LOW_BITS))
}

/** The digests of all leaves and branches. */
export class DigestTree {
  readonly #leaves = new Float64Array(LEAF_COUNT)
  readonly #branches = new Float64Array(BRANCH_COUNT)
  /** A copy to hand out, until something changes. */
  #shownBranches: readonly number[] | undefined

  /** A record of this leaf has another digest than before; 0 stands for none. */
  replace(leaf: number, before: number, after: number): void {
    this.#shownBranches = undefined
    const branch = Math.floor(leaf / LEAVES_PER_BRANCH)
    const change = after - before + DIGEST_END
    this.#leaves[leaf] = (this.#leaves[leaf]! + change) % DIGEST_END
    this.#branches[branch] = (this.#branches[branch]! + change) % DIGEST_END
  }

  /** The digests of all branches, by branch. */
  get branches(): readonly number[] {
    this.#shownBranches ??= Array.from(this.#branches)
    return this.#shownBranches
  }

  /** The digests of the leaves of a branch (0 to 255), by leaf. */
  leavesOf(branch: number): readonly number[] {
    return [...this.#leaves.subarray(branch * LEAVES_PER_BRANCH, (branch + 1) * LEAVES_PER_BRANCH)]
  }
}
