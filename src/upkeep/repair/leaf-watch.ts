/**
 * Tells a node that lags from writes on their way. While clients write, digests differ at every look, for
 * milliseconds: a leaf is worth repairing only if it differs at a second look and no node has written in it
 * meanwhile. A leaf that is written all the time would never be still, so after a number of looks it is due
 * anyway; each further number is twice the one before, which also keeps a leaf that cannot be repaired from
 * being tried again and again.
 */
import type { Look } from './digest-look.ts'

/** At so many looks in a row a leaf has differed, and never been still, when it is due all the same. */
const RESTLESS_LOOKS = 8
/** Looks between two attempts at one leaf, at most: about a minute. */
const WAIT_LOOKS_MAX = 64

type Entry = {
  digests: readonly number[]
  looks: number
  isStill: boolean
  /** It has been tried as it is. */
  isTried: boolean
  /** At this look it is due, still or not. */
  dueAt: number
  waitLooks: number
}

export class LeafWatch {
  #members = ''
  #entries = new Map<number, Entry>()

  /** How many leaves differed, and had not changed, at the last look. */
  get stillCount(): number {
    let count = 0
    for (const { isStill } of this.#entries.values()) if (isStill) count += 1
    return count
  }

  /**
   * Takes a look into account, and returns the leaves that are due; where those are most of what differs, all
   * of it. A look at other members begins anew.
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
    // Most of what differs does so for longer than a write takes: a node lags, with the leaves too that are
    // being written.
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
