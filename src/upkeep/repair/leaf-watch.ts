/**
 * Distinguishes a node that lags from writes that are under way. While clients write, digests differ for
 * milliseconds at every look. A leaf is *still* if it differs at two looks and no node has changed it in
 * between. A leaf is *due* for repair when it is still. A leaf that is written all the time is never still,
 * so it is also due after a number of looks, then after twice as many, and so on. So a leaf that cannot be
 * repaired is not tried again and again.
 */
import type { Look } from './digest-look.ts'

/** A leaf that has differed at this many looks in a row is due, also if it is not still. */
const RESTLESS_LOOKS = 8
/** The largest number of looks between two attempts to repair one leaf: about a minute. */
const WAIT_LOOKS_MAX = 64

type Entry = {
  digests: readonly number[]
  looks: number
  isStill: boolean
  /** Whether it was repaired in its present state, as far as that was possible. */
  isTried: boolean
  /** The number of the look at which it is due, also if it is not still. */
  dueAt: number
  waitLooks: number
}

export class LeafWatch {
  #members = ''
  #entries = new Map<number, Entry>()

  /** How many leaves were still at the last look. */
  get stillCount(): number {
    let count = 0
    for (const { isStill } of this.#entries.values()) if (isStill) count += 1
    return count
  }

  /**
   * Records a look, and returns the leaves that are due. If most of the differing leaves are due, it returns
   * all that differ. If a look has other members than the one before, all leaves start again.
   */
  observe({ members, leaves }: Look): number[] {
    const names = members.map(({ nodeId }) => nodeId).join(' ')
    if (names !== this.#members) this.#entries.clear()
    this.#members = names
    const entries = new Map<number, Entry>()
    const due: number[] = []
    for (const [leaf, digests] of leaves) {
      const entry = advance(this.#entries.get(leaf), digests)
      entries.set(leaf, entry)
      if ((entry.isStill && !entry.isTried) || entry.looks >= entry.dueAt) due.push(leaf)
    }
    this.#entries = entries
    // If most leaves differ for longer than a write takes, a node lags, also in leaves that are being
    // written.
    return 2 * due.length > leaves.size ? [...leaves.keys()] : due
  }

  /** Call it when these leaves were repaired, as far as that was possible. */
  tried(leaves: Iterable<number>): void {
    for (const leaf of leaves) {
      const entry = this.#entries.get(leaf)
      if (entry === undefined) continue
      entry.isTried = true
      entry.dueAt = entry.looks + entry.waitLooks
      entry.waitLooks = Math.min(2 * entry.waitLooks, WAIT_LOOKS_MAX)
    }
  }
}

function advance(known: Entry | undefined, digests: readonly number[]): Entry {
  if (known === undefined) {
    return {
      digests,
      looks: 1,
      isStill: false,
      isTried: false,
      dueAt: RESTLESS_LOOKS,
      waitLooks: 2 * RESTLESS_LOOKS,
    }
  }
  const isStill = digests.every((digest, index) => digest === known.digests[index])
  return { ...known, digests, looks: known.looks + 1, isStill, isTried: isStill && known.isTried }
}
