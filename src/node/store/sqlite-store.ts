import assert from 'node:assert/strict'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { promiseBoundFor } from '../../register/damage.ts'
import type { KeyRecord, Mark } from '../../register/messages.ts'
import type { Membership, ScanRange } from '../../rpc/messages.ts'
import { openDatabase } from './connection.ts'
import { type Count, countApart } from './count-apart.ts'
import { addCounts, countRows, rowsAtMost } from './count-rows.ts'
import { DamagedRecordError } from './damaged-record.ts'
import { readSecret } from './digest-hash.ts'
import { FreeSpace } from './free-space.ts'
import { readMembership, readNodeId, writeMembership } from './identity.ts'
import { type Change, IndexedRecords } from './indexed-records.ts'
import { Inventory } from './inventory.ts'
import type { HashSecret } from './key-hash.ts'
import { INDEX_LIMITS, type IndexLimits } from './key-index.ts'
import { migrate } from './migrations.ts'
import type { OnUpgrade } from './narrow-rows.ts'
import { readPromiseBound, writePromiseBound } from './promise-bound.ts'
import { assertValid } from './record-rows.ts'
import type { RecordStore, ScanSlice } from './record-store.ts'
import { rekey } from './rekey.ts'
import { asFault, isStoreError } from './sqlite-fault.ts'

/** The largest number of marks that one transaction writes with its changes, or one flush writes. */
const MARKS_PER_TRANSACTION = 64
const MARKS_PER_FLUSH = 512

/** The number of keys that one flush after the start reads. It takes about 3 ms. */
const KEYS_PER_FILL = 1_000

/** One flush puts this many times as many keys into the index as a transaction does. */
const STEPS_PER_FLUSH = 8

export type StoreOptions = Readonly<{
  /** Called after each commit that wrote something, with the time that the commit took in milliseconds. */
  onCommit?: (durationMs: number) => void
  /** Called with the progress of the upgrade of an older database. */
  onUpgrade?: OnUpgrade
  /** Called when the index was damaged and has been rebuilt. */
  onRebuild?: () => void
  /** `INDEX_LIMITS` by default. */
  limits?: IndexLimits
  /**
   * A database that may hold more records is not counted when it is opened: call `countApart`. Default: every
   * database is counted at once.
   */
  countedAtOnceMax?: number
}>

/** A count of all records that is under way. */
export type CountUnderWay = Readonly<{
  /** Resolves when all are counted, or the count was stopped. */
  done: Promise<void>
  /** As `Count.stop`. */
  stop: () => Promise<void>
}>

const NO_COUNT: CountUnderWay = { done: Promise.resolve(), stop: async () => {} }

/**
 * The store of a node in one SQLite database, which is created when there is none. Only one process may have
 * it open for writing.
 */
export class SqliteStore implements RecordStore {
  readonly nodeId: string
  readonly inventory = new Inventory()
  readonly #path: string
  readonly #limits: IndexLimits
  readonly #onCommit: (durationMs: number) => void
  readonly #onRebuild: () => void
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #beginView: StatementSync
  readonly #commit: StatementSync
  #records: IndexedRecords
  readonly #freeSpace: FreeSpace
  #membership: Membership | undefined
  #promiseBound: number
  /** Whether the open transaction may change something. */
  #isChanging = false
  #hasWritten = false
  /** What the open transaction changes in the inventory. It takes effect after the commit. */
  #changes: Change[] = []
  /** Whether a row was healed for which it is not known what it had added to the inventory. */
  #isToCount = false
  /** The open transaction has changed the secret that keys are hashed with. */
  #isRekeyed = false

  /** @throws {FaultError} when the database cannot be used. The error says why. */
  constructor(
    path: string,
    { onCommit = () => {}, onUpgrade = () => {}, onRebuild = () => {}, ...options }: StoreOptions = {},
  ) {
    this.#path = path
    this.#limits = options.limits ?? INDEX_LIMITS
    this.#onCommit = onCommit
    this.#onRebuild = onRebuild
    let db: DatabaseSync | undefined
    try {
      db = openDatabase(path)
      this.#db = db
      migrate(db, onUpgrade)
      this.nodeId = readNodeId(db)
      this.#membership = readMembership(db)
      this.#promiseBound = readPromiseBound(db)
      this.#begin = db.prepare('BEGIN IMMEDIATE')
      this.#beginView = db.prepare('BEGIN DEFERRED')
      this.#commit = db.prepare('COMMIT')
      this.#records = this.#openRecords(db)
      this.#freeSpace = new FreeSpace(db, path)
      const uncounted = rowsAtMost(db)
      if (uncounted > (options.countedAtOnceMax ?? Number.POSITIVE_INFINITY)) this.inventory.clear(uncounted)
      else this.#count()
    } catch (error) {
      db?.close()
      throw asFault(error, path)
    }
  }

  get membership(): Membership | undefined {
    return this.#membership
  }

  get promiseBound(): number {
    return this.#promiseBound
  }

  /** The number of keys that are only in memory, because the index does not have them yet. */
  get waitingKeys(): number {
    return this.#records.waitingCount
  }

  transaction<T>(fn: () => T): T {
    assert.ok(!this.#db.isTransaction, 'transactions are not nested')
    return this.#guard(() => {
      this.#begin.run()
      this.#isChanging = true
      this.#changes = []
      this.#hasWritten = false
      const result = fn()
      // This transaction syncs the disk in any case, so marks and keys of the index add little time.
      if (this.#hasWritten) {
        this.#records.writeMarks(MARKS_PER_TRANSACTION)
        this.#records.step(0, false)
      }
      this.#commitTimed()
      if (this.#isRekeyed) this.#count()
      else for (const change of this.#changes) this.inventory.replace(...change)
      this.#isRekeyed = false
      this.#isChanging = false
      return result
    })
  }

  view<T>(fn: () => T): T {
    assert.ok(!this.#db.isTransaction, 'transactions are not nested')
    return this.#guard(() => {
      this.#beginView.run()
      const result = fn()
      this.#commit.run()
      return result
    })
  }

  #commitTimed(): void {
    const startMs = performance.now()
    this.#commit.run()
    if (this.#hasWritten) this.#onCommit(performance.now() - startMs)
  }

  load(key: string): KeyRecord {
    try {
      return this.#records.load(key)
    } catch (error) {
      // The caller decides what this error means. If it leaves the transaction, the store has failed.
      if (error instanceof DamagedRecordError) throw error
      throw this.#failed(error)
    }
  }

  save(key: string, before: KeyRecord, record: KeyRecord): void {
    assert.ok(this.#isChanging, 'a save belongs to a transaction')
    assertValid(record)
    this.#hasWritten = true
    this.#changes.push(this.#records.save(key, before, record))
    this.#raiseBound(record)
  }

  insert(key: string, record: KeyRecord): boolean {
    assert.ok(this.#isChanging, 'an insert belongs to a transaction')
    assertValid(record)
    const change = this.#records.insert(key, record)
    if (change === undefined) return false
    this.#hasWritten = true
    this.#changes.push(change)
    this.#raiseBound(record)
    return true
  }

  heal(key: string, record: KeyRecord): void {
    assert.ok(this.#isChanging, 'a heal belongs to a transaction')
    assertValid(record)
    this.#hasWritten = true
    const change = this.#records.heal(key, record)
    if (change === undefined) this.#isToCount = true
    else this.#changes.push(change)
    this.#raiseBound(record)
  }

  #raiseBound(record: KeyRecord): void {
    const bound = promiseBoundFor(this.#promiseBound, record)
    if (bound === this.#promiseBound) return
    writePromiseBound(this.#db, bound)
    this.#promiseBound = bound
  }

  mark(key: string, mark: Mark): void {
    this.#records.mark(key, mark)
  }

  saveMembership(membership: Membership): void {
    assert.ok(this.#isChanging, 'a save belongs to a transaction')
    this.#hasWritten = true
    const before = this.#membership?.hashSecret
    writeMembership(this.#db, membership)
    this.#membership = membership
    if (membership.hashSecret === before) return
    rekey(this.#db, secretOf(membership))
    this.#isRekeyed = true
    this.#records = this.#openRecords(this.#db)
  }

  #openRecords(db: DatabaseSync): IndexedRecords {
    const [secret, limits, onRebuild] = [secretOf(this.#membership), this.#limits, this.#onRebuild]
    return new IndexedRecords(db, { secret, limits, onRebuild })
  }

  scan(range: ScanRange, limit: number): ScanSlice {
    return this.view(() => this.#records.scan(range, limit))
  }

  flush(isIdle: boolean): boolean {
    const isToFill = this.#guard(() => this.#records.fill(KEYS_PER_FILL))
    if (this.#isToCount) this.#guard(() => this.#count())
    const isToIndex = (): boolean => isIdle && this.#records.isDue(isIdle)
    if (!this.#records.hasMarks && !isToIndex()) return isToFill
    this.transaction(() => {
      const hasMarked = this.#records.writeMarks(MARKS_PER_FLUSH)
      this.#hasWritten = hasMarked || isToIndex()
      if (isToIndex()) this.#records.step(STEPS_PER_FLUSH * this.#limits.keysPerStep, isIdle)
    })
    return isToFill || this.#records.hasMarks || isToIndex()
  }

  /**
   * Begins to count, in a thread of its own, what was not counted when the database was opened. It must be
   * called before anything is changed. Resolves when changes may begin: they are added to what the thread
   * counts. If the thread fails, `onFailed` is called, and everything is counted at once.
   */
  async countApart(onFailed: (error: unknown) => void): Promise<CountUnderWay> {
    if (this.inventory.isComplete) return NO_COUNT
    const failed = (error: unknown) => {
      onFailed(error)
      if (!this.inventory.isComplete && this.#db.isOpen) this.#guard(() => this.#count())
    }
    let count: Count
    try {
      count = await countApart(this.#path)
    } catch (error) {
      failed(error)
      return NO_COUNT
    }
    const done = count.counts.then((counts) => {
      // Meanwhile all may have been counted at once.
      if (counts === undefined || this.inventory.isComplete) return
      addCounts(this.inventory, counts)
      this.inventory.complete()
    }, failed)
    return { done, stop: count.stop }
  }

  /** Counts everything at once. */
  #count(): void {
    const counts = countRows(this.#db)
    this.inventory.clear()
    addCounts(this.inventory, counts)
    this.#isToCount = false
  }

  reclaim(isIdle: boolean): boolean {
    return this.#guard(() => this.#freeSpace.reclaim(isIdle))
  }

  close(): void {
    this.#db.close()
  }

  #guard<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      throw this.#failed(error)
    }
  }

  /** Rolls back an open transaction. Errors of SQLite become faults that say what to do. */
  #failed(error: unknown): unknown {
    this.#isChanging = false
    if (this.#db.isTransaction) this.#rollback()
    // An error of any other kind is a bug, and is passed on unchanged.
    return isStoreError(error) ? asFault(error, this.#path) : error
  }

  #rollback(): void {
    try {
      this.#db.exec('ROLLBACK')
      this.#membership = readMembership(this.#db)
      if (this.#isRekeyed) this.#records = this.#openRecords(this.#db)
      else this.#records.reload()
      this.#isRekeyed = false
      this.#promiseBound = readPromiseBound(this.#db)
    } catch {
      // The first failure is the one to report. Without a commit nothing was kept in any case.
    }
  }
}

/** What keys are hashed with in a cluster; zeros where there is no secret, or no cluster yet. */
function secretOf(membership: Membership | undefined): HashSecret {
  return readSecret(membership?.hashSecret ?? '')
}
