import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { Holding } from '../register/messages.ts'
import { compareKeys } from '../rpc/key-order.ts'
import type { HeldEntry } from '../rpc/messages.ts'

/** The scan of one node, by the node's index. */
export type NodeScan = Readonly<{ node: number; pages: AsyncIterable<readonly HeldEntry[]> }>

/**
 * One key, and the record of each node: an empty record if the node has none, `undefined` if the node was not
 * scanned.
 */
export type MergedEntry = Readonly<{ key: string; records: readonly (Holding | undefined)[] }>

/**
 * Merges the scans of several nodes, in the order of their keys (UTF-8 bytes). Every key that a node holds
 * comes once. Yields pages. No node is read faster than the pages are taken. Throws if one of the scans
 * throws.
 *
 * @param nodeCount how many nodes there are, including those that are not scanned
 */
export async function* mergeScans(
  scans: readonly NodeScan[],
  nodeCount: number,
): AsyncGenerator<readonly MergedEntry[]> {
  const cursors = scans.map(({ node, pages }) => new Cursor(node, pages[Symbol.asyncIterator]()))
  try {
    for (;;) {
      await Promise.all(cursors.map((cursor) => cursor.fill()))
      const page = mergeFilled(cursors, nodeCount)
      if (page.length === 0) return
      yield page
    }
  } finally {
    for (const cursor of cursors) cursor.close()
  }
}

/** The same for scans that have ended: `entries` is everything that the node holds in the range. */
export function mergePages(
  scans: readonly Readonly<{ node: number; entries: readonly HeldEntry[] }>[],
  nodeCount: number,
): MergedEntry[] {
  const cursors = scans.map(({ node, entries }) => new Cursor(node, undefined, entries))
  return mergeFilled(cursors, nodeCount)
}

/** Merges entries as long as the next entry of every node is known. */
function mergeFilled(cursors: readonly Cursor[], nodeCount: number): MergedEntry[] {
  const merged: MergedEntry[] = []
  while (cursors.every(({ isFilled }) => isFilled)) {
    const key = firstKey(cursors)
    if (key === undefined) break
    const records: (Holding | undefined)[] = Array(nodeCount).fill(undefined)
    for (const cursor of cursors) records[cursor.node] = cursor.take(key)
    merged.push({ key, records })
  }
  return merged
}

function firstKey(cursors: readonly Cursor[]): string | undefined {
  let first: string | undefined
  for (const { head } of cursors) {
    if (head !== undefined && (first === undefined || compareKeys(head.key, first) < 0)) first = head.key
  }
  return first
}

/** The position in the scan of one node. */
class Cursor {
  readonly node: number
  /** `undefined`: there are no further pages. */
  readonly #pages: AsyncIterator<readonly HeldEntry[]> | undefined
  #page: readonly HeldEntry[]
  #at = 0
  #isOver: boolean

  constructor(
    node: number,
    pages: AsyncIterator<readonly HeldEntry[]> | undefined,
    page: readonly HeldEntry[] = [],
  ) {
    this.node = node
    this.#pages = pages
    this.#page = page
    this.#isOver = pages === undefined
  }

  /** The next entry; `undefined`: the scan is over, or `fill` must be called first. */
  get head(): HeldEntry | undefined {
    return this.#page[this.#at]
  }

  /** Whether the next entry is known. */
  get isFilled(): boolean {
    return this.#isOver || this.#at < this.#page.length
  }

  async fill(): Promise<void> {
    while (this.#pages !== undefined && !this.isFilled) {
      const { done, value } = await this.#pages.next()
      this.#isOver = done === true
      this.#page = done === true ? [] : value
      this.#at = 0
    }
  }

  /** The record of a key, which must not be after `head`. */
  take(key: string): Holding {
    const head = this.head
    if (head?.key !== key) return EMPTY_RECORD
    this.#at += 1
    return head.record
  }

  /** Ends the scan. It does not wait for the end, because a page that was requested may never come. */
  close(): void {
    this.#pages?.return?.().catch(() => undefined)
  }
}
