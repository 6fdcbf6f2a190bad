import type { KeyRecord } from '../../register/messages.ts'
import type { Counts } from '../../rpc/messages.ts'
import { DigestTree } from './digest-tree.ts'

/** What one record, or several records of one leaf, add to an inventory. */
export type Weight = Counts & Readonly<{ digest: number }>

/** The counts and the digests of what a store holds. Each change of a record changes them too. */
export class Inventory {
  readonly digests = new DigestTree()
  #recordCount = 0
  #tombstoneCount = 0
  #stubCount = 0
  /** About how many records are still being counted. `undefined`: all are counted. */
  #uncounted: number | undefined

  /** Whether all records are counted. Until then the digests are wrong, and the counts are estimates. */
  get isComplete(): boolean {
    return this.#uncounted === undefined
  }

  /** While records are still being counted: their number at most, and no tombstones and stubs of theirs. */
  get counts(): Counts {
    return {
      recordCount: Math.max(0, this.#recordCount + (this.#uncounted ?? 0)),
      tombstoneCount: Math.max(0, this.#tombstoneCount),
      stubCount: Math.max(0, this.#stubCount),
    }
  }

  /** `uncounted`: about how many records are there that are counted later. Default: none. */
  clear(uncounted?: number): void {
    this.digests.clear()
    this.#recordCount = 0
    this.#tombstoneCount = 0
    this.#stubCount = 0
    this.#uncounted = uncounted
  }

  /** Every record is counted now. */
  complete(): void {
    this.#uncounted = undefined
  }

  /** A record of this leaf has changed: it weighed `before`, and weighs `after`. */
  replace(leaf: number, before: Weight, after: Weight): void {
    this.digests.replace(leaf, before.digest, after.digest)
    this.#recordCount += after.recordCount - before.recordCount
    this.#tombstoneCount += after.tombstoneCount - before.tombstoneCount
    this.#stubCount += after.stubCount - before.stubCount
  }
}

/** The weight of a key without a record. */
export const NOTHING: Weight = { recordCount: 0, tombstoneCount: 0, stubCount: 0, digest: 0 }

/** The weight of one record. `digest` is what `digestOf` gives for it. */
export function weightOf({ accepted, state, isStub }: KeyRecord, digest: number): Weight {
  const isTombstone = accepted !== undefined && state.value === undefined
  return { recordCount: 1, tombstoneCount: isTombstone ? 1 : 0, stubCount: isStub ? 1 : 0, digest }
}
