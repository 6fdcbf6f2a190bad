/**
 * Keys in their order, for a set that grows one key at a time and is read in order now and then. The newest
 * keys are unsorted. When there are enough of them, they are sorted and become a run. To read all keys in
 * order, the runs are merged.
 */

/** Keys are ordered by their UTF-8 bytes. JavaScript orders texts by UTF-16 units. */
const FIRST_SURROGATE = /[\ud800-\uffff]/

/** A text that JavaScript orders in the same way as SQLite orders `key`; mostly it is the key itself. */
export function orderOf(key: string): string {
  if (!FIRST_SURROGATE.test(key)) return key
  // Surrogates stand for characters after U+FFFF, so their units must come after those from U+E000 to U+FFFF.
  return key.replace(/[\ud800-\udfff]|[\ue000-\uffff]/g, (unit) => {
    const code = unit.charCodeAt(0)
    return String.fromCharCode(code < 0xe000 ? code + 0x2000 : code - 0x800)
  })
}

/** The entry of a key. `isGone`: readers must skip it. */
export type RunEntry = { readonly order: string; isGone: boolean }

/** A run is sorted when it has this many entries. */
const RUN_LENGTH = 1_024

/** Runs are merged up to this length: that takes about a millisecond. */
const RUN_LENGTH_MAX = 8 * RUN_LENGTH

/** Entries in the order of their keys. */
type Run<E> = readonly E[]

/** Entries of different keys, except entries that are gone. */
export class KeyRuns<E extends RunEntry> {
  #runs: Run<E>[] = []
  #newest: E[] = []

  /** All entries in their order. Entries may be added while it is read; the reader does not get these. */
  ordered(): RunMerge<E> {
    this.#seal()
    return new RunMerge(this.#runs, '')
  }

  /** The entries from `start` (an `orderOf`) on, in their order. */
  from(start: string): RunMerge<E> {
    this.#seal()
    return new RunMerge(this.#runs, start)
  }

  add(entry: E): void {
    this.#newest.push(entry)
    if (this.#newest.length >= RUN_LENGTH) this.#seal()
  }

  /** Sorts the newest entries, and merges them with the last runs while those are no longer than they are. */
  #seal(): void {
    if (this.#newest.length === 0) return
    let run = this.#newest.sort(inOrder)
    for (let last = this.#runs.at(-1); last !== undefined; last = this.#runs.at(-1)) {
      const length = last.length + run.length
      if (last.length >= RUN_LENGTH && (last.length > run.length || length > RUN_LENGTH_MAX)) break
      // To sort parts that are already sorted is cheap.
      run = [...last, ...run].sort(inOrder)
      this.#runs.pop()
    }
    this.#runs.push(run)
    this.#newest = []
  }
}

function inOrder(a: RunEntry, b: RunEntry): number {
  return a.order < b.order ? -1 : 1
}

/** Reads several runs as one. */
export class RunMerge<E extends RunEntry> {
  readonly #runs: readonly Run<E>[]
  readonly #positions: number[]

  constructor(runs: readonly Run<E>[], start: string) {
    this.#runs = [...runs]
    this.#positions = this.#runs.map((run) => firstAt(run, start))
  }

  /** The next entry that is not gone; `undefined` at the end. */
  next(): E | undefined {
    for (;;) {
      let best: E | undefined
      let bestRun = 0
      for (let index = 0; index < this.#runs.length; index += 1) {
        const entry = this.#runs[index]![this.#positions[index]!]
        if (entry !== undefined && (best === undefined || entry.order < best.order)) {
          best = entry
          bestRun = index
        }
      }
      if (best === undefined) return undefined
      this.#positions[bestRun]! += 1
      if (!best.isGone) return best
    }
  }
}

/** The index of the first entry of a run that is not before `start`. */
function firstAt<E extends RunEntry>(run: Run<E>, start: string): number {
  let low = 0
  let high = run.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (run[middle]!.order < start) low = middle + 1
    else high = middle
  }
  return low
}
