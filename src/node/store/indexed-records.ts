import assert from 'node:assert/strict'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { EMPTY_RECORD, onMark } from '../../register/acceptor.ts'
import { compareBallots } from '../../register/ballot.ts'
import type { KeyRecord, Mark } from '../../register/messages.ts'
import { sameWriteId } from '../../register/state.ts'
import type { ScanRange } from '../../rpc/messages.ts'
import { DamagedIndexError } from './columns.ts'
import { DamagedRecordError } from './damaged-record.ts'
import { digestOfHash, leafOfHash } from './digest-hash.ts'
import { NOTHING, type Weight, weightOf } from './inventory.ts'
import { type HashSecret, hashKey, type KeyHash } from './key-hash.ts'
import { type IndexLimits, KeyIndex, type Waiting } from './key-index.ts'
import { PendingMarks } from './pending-marks.ts'
import {
  headOf,
  isRemovable,
  isWholeHead,
  type RecordHead,
  ROW_COLUMNS,
  recordOf,
  rowOf,
  weightOfHead,
} from './record-rows.ts'
import { RecordScan } from './record-scan.ts'
import type { ScanSlice } from './record-store.ts'
import { RecordTable } from './record-table.ts'

/** How one change of a record changes the inventory. */
export type Change = readonly [leaf: number, before: Weight, after: Weight]

export type RecordsOptions = Readonly<{
  /** The secret of the hashes of keys. */
  secret: HashSecret
  limits: IndexLimits
  /** Called when the index was damaged and has been rebuilt. */
  onRebuild: () => void
}>

type Columns = readonly SQLOutputValue[]

/**
 * The records of a database by key: their rows, the index of their keys, and the marks that are in neither.
 * What `KeyIndex` says about transactions is true here too. A damaged index is rebuilt from the rows as soon
 * as the damage is found.
 */
export class IndexedRecords {
  readonly #db: DatabaseSync
  readonly #secret: HashSecret
  readonly #onRebuild: () => void
  readonly #index: KeyIndex
  readonly #table: RecordTable
  readonly #scan: RecordScan
  /** Marks of records whose key is in the index. Other marks are in the entries of their keys. */
  readonly #marks = new PendingMarks()

  constructor(db: DatabaseSync, { secret, limits, onRebuild }: RecordsOptions) {
    this.#db = db
    this.#secret = secret
    this.#onRebuild = onRebuild
    this.#index = new KeyIndex(db, secret, limits)
    this.#table = new RecordTable(db)
    const parts = { index: this.#index, table: this.#table, secret }
    this.#scan = new RecordScan(db, parts, {
      read: (key, columns, marked) => this.#read(key, columns, marked, this.#waiting(key)),
      load: (key) => this.#load(key),
    })
    this.reload()
  }

  /** Reads again what the database holds. Marks may get lost. */
  reload(): void {
    this.#withIndex(() => this.#index.reload())
  }

  /** The number of keys that are only in memory, because the index does not have them yet. */
  get waitingCount(): number {
    return this.#index.waitingCount
  }

  /** Whether `writeMarks` would write something. */
  get hasMarks(): boolean {
    return !this.#marks.isEmpty
  }

  /** As `RecordStore.load`. */
  load(key: string): KeyRecord {
    return this.#withIndex(() => this.#load(key))
  }

  #load(key: string): KeyRecord {
    const hash = this.#hash(key)
    const entry = this.#index.waiting(key, hash)
    if (entry !== undefined) return this.#read(key, this.#table.loadById(entry.id), undefined, entry)
    if (!this.#index.mayHave(hash)) return EMPTY_RECORD
    const columns = this.#table.load(key)
    if (columns !== undefined) return this.#read(key, columns, columns[ROW_COLUMNS.length], undefined)
    this.#index.assertMissing(key)
    return EMPTY_RECORD
  }

  /** The record in the columns of a row, with marks that are not in the row. */
  #read(
    key: string,
    columns: Columns | undefined,
    marked: SQLOutputValue | undefined,
    entry: Waiting | undefined,
  ): KeyRecord {
    try {
      if (columns === undefined) throw new DamagedRecordError(key, 'its row is missing')
      const record = recordOf(key, columns, entry?.marked ?? marked)
      const mark = entry === undefined ? this.#marks.get(key) : undefined
      return mark === undefined ? record : onMark(record, mark).record
    } catch (error) {
      // It may be the row of another key.
      if (error instanceof DamagedRecordError && entry === undefined) this.#index.assertEntry(key)
      throw error
    }
  }

  /** As `RecordStore.scan`. */
  scan(range: ScanRange, limit: number): ScanSlice {
    return this.#withIndex(() => this.#scan.slice(range, limit))
  }

  /** As `RecordStore.save`. */
  save(key: string, before: KeyRecord, record: KeyRecord): Change {
    return this.#save(key, this.#hash(key), before, record)
  }

  /** As `RecordStore.insert`. `undefined`: the key has a record. */
  insert(key: string, record: KeyRecord): Change | undefined {
    const hash = this.#hash(key)
    const isThere = (): boolean => this.#index.waiting(key, hash) !== undefined || this.#index.has(key, hash)
    return this.#withIndex(isThere) ? undefined : this.#save(key, hash, EMPTY_RECORD, record)
  }

  #save(key: string, hash: KeyHash, before: KeyRecord, record: KeyRecord): Change {
    const leaf = leafOfHash(hash)
    const weightBefore = before === EMPTY_RECORD ? NOTHING : weightOf(before, digestOfHash(hash, before))
    const entry = this.#index.waiting(key, hash)
    this.#marks.remove(key)
    if (isRemovable(before) !== isRemovable(record)) this.#table.setRemovable(key, isRemovable(record))
    if (record === EMPTY_RECORD) {
      this.#table.remove(key, entry?.id)
      this.#index.remove(key, entry)
      return [leaf, weightBefore, NOTHING]
    }
    const digest = digestOfHash(hash, record)
    const values = rowOf(key, record, { leaf, digest })
    if (before === EMPTY_RECORD)
      this.#table.insert(this.#index.add(key, hash, headOf(key, record)).id, values)
    else {
      this.#table.replace(key, entry?.id, values)
      renew(entry, key, record)
    }
    return [leaf, weightBefore, weightOf(record, digest)]
  }

  /** As `RecordStore.heal`. `undefined`: it is not known what the damaged row added to the inventory. */
  heal(key: string, record: KeyRecord): Change | undefined {
    const hash = this.#hash(key)
    const entry = this.#index.waiting(key, hash)
    const id = entry?.id ?? this.#index.rowOf(key)
    assert.ok(id !== undefined && record !== EMPTY_RECORD, 'only what is there can be damaged')
    const leaf = leafOfHash(hash)
    const digest = digestOfHash(hash, record)
    const head = this.#table.loadById(id)
    const weightBefore = head !== undefined && isWholeHead(key, head) ? weightOfHead(head) : undefined
    this.#marks.remove(key)
    this.#table.put(id, rowOf(key, record, { leaf, digest }))
    this.#table.setRemovable(key, isRemovable(record))
    renew(entry, key, record)
    return weightBefore && [leaf, weightBefore, weightOf(record, digest)]
  }

  /** As `RecordStore.mark`. */
  mark(key: string, mark: Mark): void {
    const entry = this.#waiting(key)
    if (entry === undefined) return this.#marks.add(key, mark)
    entry.head ??= this.#headOf(key)
    if (entry.head === undefined) return
    const { accepted, writeId, mark: value } = entry.head
    if (accepted === undefined || compareBallots(accepted, mark.ballot) !== 0) return
    if (sameWriteId(writeId, mark.writeId)) entry.marked = value
  }

  /** The head of a record, for a mark; `undefined`: the record is damaged. */
  #headOf(key: string): RecordHead | undefined {
    try {
      return headOf(key, this.load(key))
    } catch (error) {
      if (error instanceof DamagedRecordError) return undefined
      throw error
    }
  }

  /** Writes some marks into their rows; `true`: rows were changed. */
  writeMarks(limit: number): boolean {
    let hasChanged = false
    this.#marks.take(limit, (key, mark) => {
      if (this.#table.mark(key, mark)) hasChanged = true
    })
    return hasChanged
  }

  /** As `KeyIndex.isDue`. */
  isDue(isIdle: boolean): boolean {
    return this.#index.isDue(isIdle)
  }

  /** As `KeyIndex.step`. */
  step(count: number, isIdle: boolean): void {
    this.#index.step(count, isIdle)
  }

  /** As `KeyIndex.fill`. */
  fill(count: number): boolean {
    return this.#withIndex(() => this.#index.fill(count))
  }

  /**
   * Runs `fn`, which uses the index. If it finds the index damaged, rebuilds the index and runs `fn` again.
   */
  #withIndex<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      if (!(error instanceof DamagedIndexError)) throw error
      const isInTransaction = this.#db.isTransaction
      if (!isInTransaction) this.#db.exec('BEGIN IMMEDIATE')
      this.#index.rebuild()
      if (!isInTransaction) this.#db.exec('COMMIT')
      this.#onRebuild()
      return fn()
    }
  }

  #waiting(key: string): Waiting | undefined {
    return this.#index.waiting(key, this.#hash(key))
  }

  #hash(key: string): KeyHash {
    return hashKey(key, this.#secret)
  }
}

/** Updates the entry of a waiting key, if there is one: its record has changed. */
function renew(entry: Waiting | undefined, key: string, record: KeyRecord): void {
  if (entry === undefined) return
  entry.head = headOf(key, record)
  entry.marked = undefined
}
