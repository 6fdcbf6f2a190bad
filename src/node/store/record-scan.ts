import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { KeyRecord } from '../../register/messages.ts'
import { successorKey } from '../../rpc/key-order.ts'
import type { ScanEntry, ScanRange } from '../../rpc/messages.ts'
import { integer, RowQuery, text } from './columns.ts'
import { DamagedRecordError } from './damaged-record.ts'
import { leafOfHash } from './digest-hash.ts'
import { type HashSecret, hashKey } from './key-hash.ts'
import type { KeyIndex, Waiting } from './key-index.ts'
import { orderOf } from './key-runs.ts'
import { ROW_COLUMNS } from './record-rows.ts'
import type { ScanSlice } from './record-store.ts'
import type { RecordTable } from './record-table.ts'

/** A slice ends when the values in it have this size together: many slices would fit into one message. */
const SLICE_BYTES = 1024 * 1024

/**
 * The number of keys that a slice of some leaves looks at, at most. It bounds the time of a turn when few
 * match.
 */
const SLICE_KEYS = 1_024

/** As how large the rows are taken before some were read. */
const ROW_BYTES_AT_FIRST = 16 * 1024

const COLUMNS = ROW_COLUMNS.join(', ')
const STATE = ROW_COLUMNS.indexOf('state')
const MARKED = ROW_COLUMNS.length

/**
 * Both ends bound the part of the index that is read. For a scan to the last key, the second end is
 * `AFTER_ALL_KEYS`.
 */
const IN_RANGE = 'key_index.key >= ? AND key_index.key < ?'

/** SQLite orders every blob after every text. */
const AFTER_ALL_KEYS = new Uint8Array()

type Columns = readonly SQLOutputValue[]

/**
 * The record of a key, from the columns of its row; the mark of the index comes after them. `undefined`:
 * there is no such row.
 *
 * @throws {DamagedRecordError}
 */
type Read = (key: string, columns: Columns | undefined, marked: SQLOutputValue | undefined) => KeyRecord

/** A key that matches, and how to read its record. */
type Candidate = Readonly<{ key: string; read: () => KeyRecord }>

/**
 * Reads the records of a database in key order, slice by slice: those whose keys are in the index, and those
 * whose keys wait.
 */
export class RecordScan {
  readonly #index: KeyIndex
  readonly #table: RecordTable
  readonly #secret: HashSecret
  readonly #read: Read
  readonly #load: (key: string) => KeyRecord
  readonly #all: RowQuery
  readonly #keys: RowQuery
  readonly #removable: RowQuery
  /** The mean size of the states that were read last, in bytes. */
  #rowBytes = ROW_BYTES_AT_FIRST

  constructor(
    db: DatabaseSync,
    { index, table, secret }: Readonly<{ index: KeyIndex; table: RecordTable; secret: HashSecret }>,
    { read, load }: Readonly<{ read: Read; load: (key: string) => KeyRecord }>,
  ) {
    this.#index = index
    this.#table = table
    this.#secret = secret
    this.#read = read
    this.#load = load
    this.#all = new RowQuery(
      db,
      `SELECT ${COLUMNS}, marked, key_index.key FROM key_index LEFT JOIN record USING (id)
       WHERE ${IN_RANGE} ORDER BY key_index.key LIMIT ?`,
    )
    this.#keys = new RowQuery(
      db,
      `SELECT key, id, marked FROM key_index WHERE ${IN_RANGE} ORDER BY key LIMIT ${SLICE_KEYS + 1}`,
    )
    this.#removable = new RowQuery(
      db,
      'SELECT key FROM removable_key WHERE key >= ? AND key < ? ORDER BY key LIMIT ?',
    )
  }

  /** As `RecordStore.scan`. */
  slice(range: ScanRange, limit: number): ScanSlice {
    // The table of removable keys has the waiting keys too.
    if (range.removableOnly) return this.#take(range, limit, this.#removableIn(range, limit), [])
    const waiting = this.#waitingIn(range, limit)
    const bounded = { ...range, end: waiting.end }
    if (range.leaves === undefined)
      return this.#take(bounded, limit, this.#indexed(bounded, limit), waiting.entries, range.end)
    const { candidates, end } = this.#ofLeaves(bounded, range.leaves)
    return this.#take({ ...range, end }, limit, candidates, waiting.entries, range.end)
  }

  /**
   * Merges candidates of the index with entries that wait, up to the end of the range or the limits of a
   * slice.
   */
  #take(
    range: ScanRange,
    limit: number,
    indexed: Iterable<Candidate>,
    waiting: readonly Waiting[],
    wholeEnd = range.end,
  ): ScanSlice {
    const entries: ScanEntry[] = []
    const damaged: string[] = []
    let last = ''
    let bytes = 0
    let taken = 0
    const isFull = (): boolean => entries.length + damaged.length === limit || bytes >= SLICE_BYTES
    const add = (key: string, read: () => KeyRecord): void => {
      last = key
      try {
        const record = read()
        if (!range.omitValues) bytes += record.state.value?.length ?? 0
        entries.push({ key, record: range.omitValues ? withoutValue(record) : record })
      } catch (error) {
        if (!(error instanceof DamagedRecordError)) throw error
        damaged.push(key)
      }
    }
    const addWaiting = (before: string | undefined): void => {
      for (; taken < waiting.length && !isFull(); taken += 1) {
        const { key, order, id } = waiting[taken]!
        if (before !== undefined && order >= before) return
        add(key, () => this.#read(key, this.#table.loadById(id), undefined))
      }
    }
    for (const { key, read } of indexed) {
      addWaiting(orderOf(key))
      if (isFull()) break
      add(key, read)
    }
    addWaiting(range.end === '' ? undefined : orderOf(range.end))
    if (isFull()) return { entries, damaged, nextStart: successorKey(last) }
    return { entries, damaged, nextStart: range.end === wholeEnd ? undefined : range.end }
  }

  /** The first waiting entries that match, and the key before which these are complete. */
  #waitingIn(range: ScanRange, limit: number): { entries: Waiting[]; end: string } {
    const end = range.end === '' ? undefined : orderOf(range.end)
    const entries: Waiting[] = []
    const sources = this.#index.waitingFrom(range.start)
    const heads = sources.map((source) => source.next())
    for (let seen = 0; ; seen += 1) {
      const [a, b] = heads
      const first = b === undefined || (a !== undefined && a.order < b.order) ? 0 : 1
      const entry = heads[first]
      if (entry === undefined || (end !== undefined && entry.order >= end)) return { entries, end: range.end }
      if (seen === SLICE_KEYS || entries.length === limit) return { entries, end: entry.key }
      if (range.leaves?.has(leafOfHash(entry.hash)) ?? true) entries.push(entry)
      heads[first] = sources[first]!.next()
    }
  }

  *#removableIn({ start, end }: ScanRange, limit: number): Generator<Candidate> {
    for (const found of this.#removable.iterate(start, boundOf(end), limit)) {
      const key = text(found[0])
      yield { key, read: () => this.#load(key) }
    }
  }

  /**
   * Many rows at once cost less than one after the other, but rows that do not fit into the slice are read in
   * vain. So each read takes about as many as will fit, if they are as large as those before.
   */
  *#indexed({ start, end }: ScanRange, limit: number): Generator<Candidate> {
    let from = start
    let bytes = 0
    for (let left = limit; left > 0; ) {
      const roomBytes = SLICE_BYTES - (bytes % SLICE_BYTES)
      const count = Math.min(left, Math.ceil(roomBytes / this.#rowBytes))
      const rows = this.#all.all(from, boundOf(end), count)
      const bytesBefore = bytes
      for (const columns of rows) bytes += sizeOf(columns[STATE])
      for (const columns of rows) {
        const key = text(columns[MARKED + 1])
        yield { key, read: () => this.#read(key, columns, columns[MARKED]) }
        from = successorKey(key)
      }
      if (rows.length < count) return
      this.#rowBytes = Math.max(1, (bytes - bytesBefore) / rows.length)
      left -= rows.length
    }
  }

  /** The next keys of the index that are in the given leaves, and the key before which these are complete. */
  #ofLeaves(
    { start, end }: ScanRange,
    leaves: ReadonlySet<number>,
  ): { candidates: Candidate[]; end: string } {
    const found = this.#keys.all(start, boundOf(end))
    const isWhole = found.length <= SLICE_KEYS
    const candidates: Candidate[] = []
    for (const [column, id, marked] of found.slice(0, SLICE_KEYS)) {
      const key = text(column)
      if (!leaves.has(leafOfHash(hashKey(key, this.#secret)))) continue
      candidates.push({ key, read: () => this.#read(key, this.#table.loadById(integer(id)), marked) })
    }
    return { candidates, end: isWhole ? end : text(found.at(-1)![0]) }
  }
}

function withoutValue(record: KeyRecord): KeyRecord {
  return { ...record, state: { ...record.state, value: undefined } }
}

function sizeOf(state: SQLOutputValue | undefined): number {
  return state instanceof Uint8Array ? state.length : 0
}

function boundOf(end: ScanRange['end']): string | Uint8Array {
  return end === '' ? AFTER_ALL_KEYS : end
}
