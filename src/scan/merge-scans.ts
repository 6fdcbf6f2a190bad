import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { Records } from '../register/known-chosen.ts'
import type { KeyRecord } from '../register/messages.ts'
import type { ScanEntry } from '../rpc/messages.ts'
import { compareKeys } from './key-order.ts'

/** The scan of one node, by the node's index. */
export type NodeScan = Readonly<{ node: number; pages: AsyncIterable<readonly ScanEntry[]> }>

/**
 * One key, and what each node holds for it: an empty record where it has none, `undefined` where it was not
 * asked.
 */
export type MergedEntry = Readonly<{ key: string; records: Records }>

/**
 * Goes through the scans of several nodes side by side, in the order of their keys (UTF-8 bytes): every key
 * that any of them holds comes once. No node is read faster than the keys are taken. Yields pages; throws
 * when one of the scans does.
 *
 * @param nodeCount how many nodes there are, those that are not scanned included
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

/** The same for scans that are over: `entries` is everything that the node holds of the range. */
export function mergePages(
  scans: readonly Readonly<{ node: number; entries: readonly ScanEntry[] }>[],
  nodeCount: number,
): MergedEntry[] {
  const cursors = scans.map(({ node, entries }) => new Cursor(node, undefined, entries))
  return mergeFilled(cursors, nodeCount)
}

/** Goes on for as long as it is known what comes next at every node. */
function mergeFilled(cursors: readonly Cursor[], nodeCount: number): MergedEntry[] {
  const merged: MergedEntry[] = []
  while (cursors.every(({ isFilled }) => isFilled)) {
    const key = firstKey(cursors)
    if (key === undefined) break
    const records: (KeyRecord | undefined)[] = Array(nodeCount).fill(undefined)
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

/** Where the scan of one node is. */
class Cursor {
  readonly node: number
  /** `undefined`: there are no further pages. */
  readonly #pages: AsyncIterator<readonly ScanEntry[]> | undefined
  #page: readonly ScanEntry[]
  #at = 0
  #isOver: boolean

  constructor(
    node: number,
    pages: AsyncIterator<readonly ScanEntry[]> | undefined,
    page: readonly ScanEntry[] = [],
  ) {
    this.node = node
    this.#pages = pages
    this.#page = page
    this.#isOver = pages === undefined
  }

  /** The next entry; `undefined` when the scan is over, or `fill` is to be called. */
  get head(): ScanEntry | undefined {
    return this.#page[this.#at]
  }

  /** Whether `head` tells what comes next. */
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

  /** The record of a key that is at or before the head. */
  take(key: string): KeyRecord {
    const head = this.head
    if (head?.key !== key) return EMPTY_RECORD
    this.#at += 1
    return head.record
  }

  /** Not waited for: a page that was asked for may never come. */
  close(): void {
    this.#pages?.return?.().catch(() => undefined)
  }
}
