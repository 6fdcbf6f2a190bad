/**
 * Tells a node that lags from writes on their way. While clients write, digests differ at every look, for
 * milliseconds. So a leaf is *due* for repair only when it differs at a second look too, and no node has
 * changed it in between: then it is *still*. A leaf that is written all the time is never still. It is due
 * after a number of looks all the same, and then after twice as many, and so on: so a leaf that cannot be
 * repaired is not tried again and again.
 */
import type { Look } from './digest-look.ts'

/** A leaf that has differed at this many looks in a row is due, also when it is not still. */
const RESTLESS_LOOKS = 8
/** How many looks lie between two attempts at one leaf, at most: about a minute. */
const WAIT_LOOKS_MAX = 64

type Entry = {
  digests: readonly number[]
  looks: number
  isStill: boolean
  /** It has been repaired as it is, as far as that was possible. */
  isTried: boolean
  /** The number of the look at which it is due, still or not. */
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
   * Takes a look into account, and returns the leaves that are due. When most of the leaves that differ are
   * due, it returns all that differ. A look at other members than before begins anew.
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
    // Most leaves differ for longer than a write takes: a node lags, also in the leaves that are being
    // written.
    return 2 * due.length > leaves.size ? [...leaves.keys()] : due
  }

  /** These leaves were repaired, as far as that was possible. */
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
