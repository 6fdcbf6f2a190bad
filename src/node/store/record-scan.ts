import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LEAF_COUNT, type ScanEntry, type ScanRange } from '../../rpc/messages.ts'
import { row, text } from './columns.ts'
import { RECORD_COLUMNS, recordOf } from './record-rows.ts'
import type { ScanSlice } from './record-store.ts'

/** A slice ends when the values in it have this size together: many slices would fit into one message. */
const SLICE_BYTES = 1024 * 1024

/**
 * The number of keys that a slice of some leaves looks at. It bounds the time of a turn when few keys match.
 */
const SLICE_KEYS = 1_024

// SQLite does not read the pages of a large value that nobody asks for.
const SCAN_COLUMNS = `key, ${RECORD_COLUMNS.replace('value', 'CASE WHEN ? THEN NULL ELSE value END')}`

/**
 * Both ends bound the part of the index that is read. To scan to the last key, the second is
 * `AFTER_ALL_KEYS`.
 */
const IN_RANGE = 'key >= ? AND key < ?'

/** SQLite orders every blob after every text. */
const AFTER_ALL_KEYS = new Uint8Array()

/** Reads the records of a database in key order, slice by slice. */
export class RecordScan {
  readonly #all: StatementSync
  readonly #removable: StatementSync
  readonly #someLeaves: StatementSync
  readonly #sliceEnd: StatementSync
  readonly #flags = new WeakMap<ReadonlySet<number>, Uint8Array>()

  constructor(db: DatabaseSync) {
    const rows = { returnArrays: true }
    const order = 'ORDER BY key LIMIT ?'
    this.#all = db.prepare(`SELECT ${SCAN_COLUMNS} FROM record WHERE ${IN_RANGE} ${order}`, rows)
    this.#removable = db.prepare(
      `SELECT ${SCAN_COLUMNS} FROM record INDEXED BY removable WHERE value IS NULL AND ${IN_RANGE} ${order}`,
      rows,
    )
    this.#someLeaves = db.prepare(
      `SELECT ${SCAN_COLUMNS} FROM record WHERE substr(?, leaf + 1, 1) = x'01' AND ${IN_RANGE} ${order}`,
      rows,
    )
    this.#sliceEnd = db.prepare(
      `SELECT key FROM record WHERE ${IN_RANGE} ORDER BY key LIMIT 1 OFFSET ?`,
      rows,
    )
  }

  /** As `RecordStore.scan`. */
  slice(range: ScanRange, limit: number): ScanSlice {
    const end = range.leaves === undefined ? range.end : this.#endOfSlice(range)
    const entries = this.#read({ ...range, end }, limit)
    const last = entries.at(-1)
    // The first key after the last one: no key contains a NUL.
    if (last !== undefined) return { entries, nextStart: `${last.key}\0` }
    return { entries, nextStart: end === range.end ? undefined : end }
  }

  /**
   * Where a slice of some leaves ends, so that it does not pass over too many keys that are of other leaves.
   */
  #endOfSlice({ start, end }: ScanRange): string {
    const found = this.#sliceEnd.get(start, boundOf(end), SLICE_KEYS)
    return found === undefined ? end : text(row(found)[0])
  }

  #read(range: ScanRange, limit: number): ScanEntry[] {
    const entries: ScanEntry[] = []
    let bytes = 0
    for (const columns of this.#select(range, limit)) {
      const [key] = row(columns)
      const record = recordOf(row(columns), 1)
      entries.push({ key: text(key), record })
      bytes += record.state.value?.length ?? 0
      if (bytes >= SLICE_BYTES) break
    }
    return entries
  }

  #select({ start, end, omitValues, removableOnly, leaves }: ScanRange, limit: number) {
    const omit = omitValues ? 1 : 0
    if (removableOnly) return this.#removable.iterate(omit, start, boundOf(end), limit)
    if (leaves === undefined) return this.#all.iterate(omit, start, boundOf(end), limit)
    return this.#someLeaves.iterate(omit, this.#flagsOf(leaves), start, boundOf(end), limit)
  }

  /**
   * One byte for each leaf, 1 if it is wanted. It is kept, because a scan asks for the same leaves with every
   * slice.
   */
  #flagsOf(leaves: ReadonlySet<number>): Uint8Array {
    const known = this.#flags.get(leaves)
    if (known !== undefined) return known
    const bytes = new Uint8Array(LEAF_COUNT)
    for (const leaf of leaves) bytes[leaf] = 1
    this.#flags.set(leaves, bytes)
    return bytes
  }
}

function boundOf(end: ScanRange['end']): string | Uint8Array {
  return end === '' ? AFTER_ALL_KEYS : end
}
