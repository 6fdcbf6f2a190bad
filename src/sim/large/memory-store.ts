import assert from 'node:assert/strict'
import { DamagedRecordError } from '../../node/store/damaged-record.ts'
import { digestOf, leafOf } from '../../node/store/digest-hash.ts'
import { Inventory, NOTHING, type Weight, weightOf } from '../../node/store/inventory.ts'
import { PendingMarks } from '../../node/store/pending-marks.ts'
import type { RecordStore, ScanSlice } from '../../node/store/record-store.ts'
import { EMPTY_RECORD, onMark } from '../../register/acceptor.ts'
import { promiseBoundFor } from '../../register/damage.ts'
import type { KeyRecord, Mark } from '../../register/messages.ts'
import { compareKeys } from '../../rpc/key-order.ts'
import type { Membership, ScanEntry, ScanRange } from '../../rpc/messages.ts'

/** The same number as in the store of a node: how many marks one transaction makes durable. */
const MARKS_PER_TRANSACTION = 64
const MARKS_PER_FLUSH = 512

/** The power fails at a transaction: before or after the transaction is durable. */
export class PowerCut extends Error {}

/** Is told what has become durable. */
export type StoreObserver = Readonly<{
  onVote: (key: string, record: KeyRecord) => void
  /** `before`: the record that has become a stub. */
  onStub: (key: string, before: KeyRecord) => void
  onDrop: (key: string) => void
}>

/**
 * A disk. It keeps what was committed through every crash of its node, and nothing else.
 */
export class MemoryStore implements RecordStore {
  readonly nodeId: string
  readonly inventory = new Inventory()
  #membership: Membership | undefined
  /** The membership that the transaction under way would adopt. */
  #adopted: Membership | undefined
  /** Where the next transaction is to be interrupted. */
  nextCut: 'before commit' | 'after commit' | undefined
  readonly #records = new Map<string, KeyRecord>()
  /** The records that the transaction under way would change. */
  #changes: Map<string, KeyRecord> | undefined
  /** The keys whose records are spoiled. */
  readonly #spoiled = new Set<string>()
  /** How many records it has spoiled since it was new. */
  spoiledCount = 0
  #promiseBound = 0
  /** The promise bound after the transaction under way. */
  #raisedBound = 0
  readonly #digestOf: typeof digestOf
  readonly #observer: StoreObserver
  /** Chosen marks that are not durable yet. */
  #marks = new PendingMarks()
  /** Calls of the observer that are made when the transaction is durable. */
  #news: (() => void)[] = []

  /** An empty disk. `digest` is the node's, unless a test breaks it. */
  constructor(nodeId: string, observer: StoreObserver, digest: typeof digestOf = digestOf) {
    this.nodeId = nodeId
    this.#digestOf = digest
    this.#observer = observer
  }

  get membership(): Membership | undefined {
    return this.#adopted ?? this.#membership
  }

  /** Whether nothing was ever kept here. */
  get isEmpty(): boolean {
    return this.#membership === undefined && this.#records.size === 0
  }

  /** The keys of all records. */
  get keys(): readonly string[] {
    return [...this.#records.keys()]
  }

  transaction<T>(fn: () => T): T {
    assert.equal(this.#changes, undefined, 'transactions are not nested')
    this.#changes = new Map()
    this.#news = []
    try {
      const result = fn()
      if (this.#changes.size > 0) this.#writeMarks(MARKS_PER_TRANSACTION)
      const cut = this.nextCut
      this.nextCut = undefined
      if (cut === 'before commit') throw new PowerCut()
      for (const [key, record] of this.#changes) this.#keep(key, record)
      this.#promiseBound = this.promiseBound
      this.#membership = this.membership
      for (const tell of this.#news) tell()
      if (cut === 'after commit') throw new PowerCut()
      return result
    } finally {
      this.#changes = undefined
      this.#adopted = undefined
      this.#raisedBound = 0
    }
  }

  view<T>(fn: () => T): T {
    return this.transaction(fn)
  }

  get promiseBound(): number {
    return Math.max(this.#promiseBound, this.#raisedBound)
  }

  /** The disk spoils a record. Returns whether there was one. */
  spoil(key: string): boolean {
    if (!this.#records.has(key) || this.#spoiled.has(key)) return false
    this.#spoiled.add(key)
    this.spoiledCount += 1
    return true
  }

  /** Whether some record is spoiled. */
  get isSpoiled(): boolean {
    return this.#spoiled.size > 0
  }

  /** What it holds for a key; `undefined`: the record is spoiled. */
  held(key: string): KeyRecord | undefined {
    return this.#spoiled.has(key) ? undefined : this.load(key)
  }

  load(key: string): KeyRecord {
    if (this.#spoiled.has(key) && !this.#changes?.has(key)) throw new DamagedRecordError(key, 'it is spoiled')
    return this.#withMark(key, this.#changes?.get(key) ?? this.#records.get(key) ?? EMPTY_RECORD)
  }

  save(key: string, before: KeyRecord, record: KeyRecord): void {
    assert.ok(this.#changes !== undefined, 'a save belongs to a transaction')
    // An accept always leaves an unmarked record at another ballot; a learn leaves a marked one.
    if (record.accepted !== undefined && record.accepted !== before.accepted && !record.chosen) {
      this.#news.push(() => this.#observer.onVote(key, record))
    }
    if (record.isStub && before.accepted !== undefined)
      this.#news.push(() => this.#observer.onStub(key, before))
    if (record === EMPTY_RECORD && before.isStub) this.#news.push(() => this.#observer.onDrop(key))
    this.#changes.set(key, record)
    this.#raisedBound = promiseBoundFor(this.promiseBound, record)
    this.#marks.remove(key)
  }

  heal(key: string, record: KeyRecord): void {
    this.save(key, EMPTY_RECORD, record)
  }

  insert(key: string, record: KeyRecord): boolean {
    if (this.#spoiled.has(key) || this.load(key) !== EMPTY_RECORD) return false
    this.save(key, EMPTY_RECORD, record)
    return true
  }

  mark(key: string, mark: Mark): void {
    this.#marks.add(key, mark)
  }

  /** The process has ended: what was in its memory is lost. */
  forgetMarks(): void {
    this.#marks = new PendingMarks()
  }

  flush(): boolean {
    if (this.#marks.isEmpty) return false
    this.transaction(() => this.#writeMarks(MARKS_PER_FLUSH))
    return !this.#marks.isEmpty
  }

  #writeMarks(limit: number): void {
    this.#marks.take(limit, (key, mark) => {
      if (this.#spoiled.has(key)) return
      const before = this.#changes?.get(key) ?? this.#records.get(key) ?? EMPTY_RECORD
      const { record } = onMark(before, mark)
      if (record !== before) this.save(key, before, record)
    })
  }

  #withMark(key: string, record: KeyRecord): KeyRecord {
    const mark = this.#marks.get(key)
    return mark === undefined ? record : onMark(record, mark).record
  }

  #keep(key: string, record: KeyRecord): void {
    const weigh = (kept: KeyRecord): Weight =>
      kept === EMPTY_RECORD ? NOTHING : weightOf(kept, this.#digestOf(key, kept))
    this.inventory.replace(leafOf(key), weigh(this.#records.get(key) ?? EMPTY_RECORD), weigh(record))
    this.#spoiled.delete(key)
    if (record === EMPTY_RECORD) this.#records.delete(key)
    else this.#records.set(key, record)
  }

  saveMembership(membership: Membership): void {
    assert.ok(this.#changes !== undefined, 'a save belongs to a transaction')
    this.#adopted = membership
  }

  scan({ start, end, omitValues, removableOnly, leaves }: ScanRange, limit: number): ScanSlice {
    const entries = [...this.#records]
      .map(([key, record]) => ({ key, record: this.#withMark(key, record) }))
      .filter(({ key }) => compareKeys(key, start) >= 0 && (end === '' || compareKeys(key, end) < 0))
      .filter(({ record }) => !removableOnly || record.state.value === undefined)
      .filter(({ key }) => leaves === undefined || leaves.has(leafOf(key)))
      .sort((a, b) => compareKeys(a.key, b.key))
    const page = entries.slice(0, limit)
    const last = page.at(-1)
    const whole = page.filter(({ key }) => !this.#spoiled.has(key))
    return {
      damaged: page.flatMap(({ key }) => (this.#spoiled.has(key) ? [key] : [])),
      entries: omitValues ? whole.map(withoutValue) : whole,
      nextStart: last === undefined || entries.length === page.length ? undefined : `${last.key}\0`,
    }
  }

  reclaim(): boolean {
    return false
  }

  close(): void {}
}

function withoutValue({ key, record }: ScanEntry): ScanEntry {
  return { key, record: { ...record, state: { ...record.state, value: undefined } } }
}
