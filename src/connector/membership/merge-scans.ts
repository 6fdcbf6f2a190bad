import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Records } from '../../register/known-chosen.ts'
import type { Record } from '../../register/messages.ts'
import type { ScanEntry } from '../../rpc/messages.ts'

/** The scan of one node, by the node's index. */
export type NodeScan = Readonly<{ node: number; pages: AsyncIterable<readonly ScanEntry[]> }>

/** One key, and what each node holds for it: an empty record where it has none, `undefined` where it was not asked. */
export type MergedEntry = Readonly<{ key: string; records: Records }>

/**
 * Goes through the scans of several nodes side by side, in the order of their keys (UTF-8 bytes): every key that any of
 * them holds comes once. Yields pages; throws when one of the scans does.
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
      const page = mergeBuffered(cursors, nodeCount)
      if (page.length === 0) return
      yield page
    }
  } finally {
    await Promise.all(cursors.map((cursor) => cursor.close()))
  }
}

/** As far as every cursor that goes on has something in hand. */
function mergeBuffered(cursors: readonly Cursor[], nodeCount: number): MergedEntry[] {
  const merged: MergedEntry[] = []
  for (;;) {
    if (merged.length > 0 && cursors.some((cursor) => cursor.needsMore)) return merged
    const lowest = lowestKey(cursors)
    if (lowest === undefined) return merged
    const records: (Record | undefined)[] = Array(nodeCount).fill(undefined)
    for (const cursor of cursors) records[cursor.node] = cursor.take(lowest.bytes)
    merged.push({ key: lowest.key, records })
  }
}

function lowestKey(cursors: readonly Cursor[]): Readonly<{ key: string; bytes: Buffer }> | undefined {
  let lowest: Readonly<{ key: string; bytes: Buffer }> | undefined
  for (const { head } of cursors) {
    if (head !== undefined && (lowest === undefined || head.bytes.compare(lowest.bytes) < 0)) lowest = head
  }
  return lowest
}

/** One scan, and where it is. */
class Cursor {
  readonly node: number
  readonly #pages: AsyncIterator<readonly ScanEntry[]>
  #page: readonly ScanEntry[] = []
  #index = 0
  #isDone = false
  head: Readonly<{ key: string; bytes: Buffer; record: Record }> | undefined

  constructor(node: number, pages: AsyncIterator<readonly ScanEntry[]>) {
    this.node = node
    this.#pages = pages
  }

  /** Nothing is in hand, and the scan may have more. */
  get needsMore(): boolean {
    return this.head === undefined && !this.#isDone
  }

  async fill(): Promise<void> {
    while (this.needsMore) {
      const { done, value } = await this.#pages.next()
      if (done === true) this.#isDone = true
      else {
        this.#page = value
        this.#index = 0
        this.#advance()
      }
    }
  }

  /** The record of a key, which is at or before the head. */
  take(key: Buffer): Record {
    const { head } = this
    if (head === undefined || !head.bytes.equals(key)) return EMPTY_RECORD
    this.#advance()
    return head.record
  }

  async close(): Promise<void> {
    await this.#pages.return?.()
  }

  #advance(): void {
    const entry = this.#page[this.#index]
    this.#index += 1
    this.head = entry === undefined ? undefined : { ...entry, bytes: Buffer.from(entry.key) }
  }
}
