/**
 * Digests of what a node has accepted. Each write updates them. With some kilobytes of digests a connector
 * can tell whether two nodes hold the same, and where they differ (protocol.md §5).
 *
 * `digest-hash.ts` spreads the keys over 65,536 leaves; 256 consecutive leaves are a branch. The digest of a
 * leaf is the sum, modulo 2^46, of the digests of its records. So it does not depend on the order of the
 * writes, and a record is taken out by subtraction (Bellare and Micciancio 1997, "A New Paradigm for
 * Collision-Free Hashing", AdHash). It protects against chance, not against malice: two different leaves have
 * equal digests once in 2^46 cases.
 */
import { BRANCH_COUNT, LEAF_COUNT, LEAVES_PER_BRANCH } from '../../rpc/messages.ts'
import { DIGEST_END } from './digest-hash.ts'

/** The digests of all leaves and branches. */
export class DigestTree {
  readonly #leaves = new Float64Array(LEAF_COUNT)
  readonly #branches = new Float64Array(BRANCH_COUNT)
  /** A copy for callers, until a digest changes. */
  #shownBranches: readonly number[] | undefined

  /** The digest of a record of this leaf was `before`, and is `after`; 0 stands for no record. */
  replace(leaf: number, before: number, after: number): void {
    this.#shownBranches = undefined
    const branch = Math.floor(leaf / LEAVES_PER_BRANCH)
    const change = after - before + DIGEST_END
    this.#leaves[leaf] = (this.#leaves[leaf]! + change) % DIGEST_END
    this.#branches[branch] = (this.#branches[branch]! + change) % DIGEST_END
  }

  clear(): void {
    this.#shownBranches = undefined
    this.#leaves.fill(0)
    this.#branches.fill(0)
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
