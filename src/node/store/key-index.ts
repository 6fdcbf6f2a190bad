import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite'
import { checksumOf, DamagedColumnError, DamagedIndexError, integer, RowQuery, text } from './columns.ts'
import { rowsAtMost } from './count-rows.ts'
import { type Digested, digestOfHash, leafOfHash } from './digest-hash.ts'
import { KeyFilter } from './key-filter.ts'
import { type HashSecret, hashKey, type KeyHash } from './key-hash.ts'
import { type Keyed, KeyMap } from './key-map.ts'
import { KeyRuns, orderOf, type RunEntry, type RunMerge } from './key-runs.ts'
import { HEAD_COLUMNS, hasDigest, isStateOf, isWholeHead, type RecordHead } from './record-rows.ts'

/** A key that is not in the index yet. */
export type Waiting = Keyed &
  RunEntry & {
    /** The row of its record. */
    readonly id: number
    /** The head of its record. `undefined`: the record was not read since the start. */
    head: RecordHead | undefined
    /** The mark of its record (`markOf`), if the record is known to be chosen. */
    marked: number | undefined
  }

/** A filter is made for at least this many keys. */
const KEYS_EXPECTED = 131_072

export type IndexLimits = Readonly<{
  /**
   * A sweep begins when this many keys wait. The more keys there are, the more of them share a page of the
   * index.
   */
  sweepAt: number
  /** The least number of keys in a step. They share the sync of the disk with other changes. */
  keysPerStep: number
}>

/**
 * 128 keys take less time than the sync. 32,768 waiting keys, and as many more that are added during a sweep,
 * take 20 MB.
 */
export const INDEX_LIMITS: IndexLimits = { sweepAt: 32_768, keysPerStep: 128 }

/**
 * Rows that `reload` cannot find in the index: those after `indexed_to`, without those that the sweep has
 * reached.
 */
const SELECT_WAITING = `
  SELECT ${HEAD_COLUMNS.join(', ')}, id, key FROM record
  WHERE id > (SELECT indexed_to FROM indexing)
    AND (id > (SELECT last_id FROM indexing) OR key > (SELECT done_to FROM indexing))
  ORDER BY id`

/**
 * Finds the rows of records by key. New keys wait in memory. A sweep puts them into the table `key_index`, in
 * their order, so that neighbouring keys share its pages (docs/decisions/0011-form-of-bytes.md).
 *
 * Methods that change something must run in a transaction. After a rollback, `reload` must be called.
 */
export class KeyIndex {
  readonly #db: DatabaseSync
  readonly #secret: HashSecret
  readonly #limits: IndexLimits
  readonly #insert: StatementSync
  readonly #find: StatementSync
  readonly #remove: StatementSync
  readonly #progress: StatementSync
  readonly #before: RowQuery
  readonly #at: RowQuery
  readonly #after: RowQuery
  readonly #entriesAfter: RowQuery
  readonly #state: RowQuery
  readonly #filter: KeyFilter
  /** The keys of the table up to this one are in the filter; `undefined`: all keys are. */
  #filledTo: string | undefined = ''
  readonly #waiting = new KeyMap<Waiting>()
  /** Keys that no sweep has begun with, and those of the sweep that is under way. */
  #next = new KeyRuns<Waiting>()
  #current = new KeyRuns<Waiting>()
  /** The rest of the sweep under way; `undefined`: there is none. */
  #rest: RunMerge<Waiting> | undefined
  /** The keys of all rows up to this id are in the index, except those of the sweep. */
  #lastId = 0
  #indexedTo = 0
  #nextId = 1
  #added = 0

  /** Empty before the first `reload`. `secret` is the secret of the hashes of keys. */
  constructor(db: DatabaseSync, secret: HashSecret, limits: IndexLimits) {
    this.#db = db
    this.#limits = limits
    this.#secret = secret
    this.#insert = db.prepare('INSERT INTO key_index (key, id, key_checksum, marked) VALUES (?, ?, ?, ?)')
    this.#find = db.prepare('SELECT 1 FROM key_index WHERE key = ?')
    this.#remove = db.prepare('DELETE FROM key_index WHERE key = ?')
    const entry = 'SELECT key, id, key_checksum FROM key_index'
    this.#before = new RowQuery(db, `${entry} WHERE key < ? ORDER BY key DESC LIMIT 1`)
    this.#at = new RowQuery(db, `${entry} WHERE key = ?`)
    this.#after = new RowQuery(db, `${entry} WHERE key > ? ORDER BY key LIMIT 1`)
    this.#entriesAfter = new RowQuery(db, `${entry} WHERE key > ? ORDER BY key LIMIT ?`)
    this.#state = new RowQuery(db, 'SELECT checksum, state FROM record WHERE id = ?')
    db.function('entry_checksum', { deterministic: true }, (key, id) => checksumOf(key, id))
    this.#filter = new KeyFilter(Math.max(2 * rowsAtMost(db), KEYS_EXPECTED))
    this.#progress = db.prepare('UPDATE indexing SET indexed_to = ?, last_id = ?, done_to = ?, checksum = ?')
  }

  /** The number of keys that are not in the table yet. */
  get waitingCount(): number {
    return this.#waiting.size
  }

  /** The entry of a key that waits; `hash` is its hash. */
  waiting(key: string, hash: KeyHash): Waiting | undefined {
    return this.#waiting.get(key, hash)
  }

  /** The waiting keys from `start` on, in their order, as two sequences without a common key. */
  waitingFrom(start: string): readonly RunMerge<Waiting>[] {
    const order = orderOf(start)
    return [this.#current.from(order), this.#next.from(order)]
  }

  /** `false`: the key is neither in the table nor waiting. This does not read the table. */
  mayHave(hash: KeyHash): boolean {
    return this.#filledTo === undefined ? this.#filter.mayHave(hash) : true
  }

  /** Whether a key is in the table; `hash` is its hash. */
  has(key: string, hash: KeyHash): boolean {
    if (!this.mayHave(hash)) return false
    const isThere = this.#find.get(key) !== undefined
    if (!isThere) this.assertMissing(key)
    return isThere
  }

  /**
   * Asserts that a key that was not found is not in the table. If the key of an entry is damaged, a search
   * for the original key, or for keys near it, ends beside this entry.
   *
   * @throws {DamagedIndexError}
   */
  assertMissing(key: string): void {
    for (const select of [this.#before, this.#at, this.#after]) {
      const found = select.get(key)
      if (found === undefined) continue
      const [neighbour, id, checksum] = found
      if (neighbour === key || checksum !== checksumOf(neighbour, id)) throw damagedNear(key)
    }
  }

  /**
   * Asserts that the entry of a key is whole, so that it leads to the row of the key.
   *
   * @throws {DamagedIndexError}
   */
  assertEntry(key: string): void {
    const found = this.#at.get(key)
    const [, id, checksum] = found === undefined ? [] : found
    if (checksum !== checksumOf(key, id)) throw damagedNear(key)
  }

  /** The row of a key that is in the table; `undefined`: it is not. */
  rowOf(key: string): number | undefined {
    const found = this.#at.get(key)
    return found === undefined ? undefined : integer(found[1])
  }

  /**
   * Reads some more keys of the table into the filter of `mayHave`; `false`: all have been read. Keys that
   * are added meanwhile go into the filter at once.
   *
   * @throws {DamagedIndexError}
   */
  fill(count: number): boolean {
    if (this.#filledTo === undefined) return false
    let read = 0
    let last = this.#filledTo
    for (const found of this.#entriesAfter.iterate(this.#filledTo, count)) {
      const [key, id, checksum] = found
      if (checksum !== checksumOf(key, id)) throw damagedNear(String(key))
      last = text(key)
      this.#filter.add(hashKey(last, this.#secret))
      read += 1
    }
    this.#filledTo = read < count ? undefined : last
    return this.#filledTo !== undefined
  }

  /** Adds a key that has no row yet. The row gets the id of the entry. */
  add(key: string, hash: KeyHash, head: RecordHead): Waiting {
    this.#added += 1
    return this.#keep(key, hash, this.#nextId++, head)
  }

  /** Forgets a key whose row is deleted. `entry`: its entry, if the key waits. */
  remove(key: string, entry: Waiting | undefined): void {
    if (entry === undefined) this.#remove.run(key)
    else this.#forget(entry)
  }

  /** Whether a step would do something. `isIdle`: all keys go into the table, even if they are few. */
  isDue(isIdle: boolean): boolean {
    return (
      this.#rest !== undefined ||
      this.waitingCount >= this.#limits.sweepAt ||
      (isIdle && this.waitingCount > 0)
    )
  }

  /**
   * Puts some keys into the table: as many as were added since the last step, and at least `count`.
   */
  step(count: number, isIdle: boolean): void {
    const keys = Math.max(count, this.#limits.keysPerStep, 2 * this.#added)
    this.#added = 0
    if (!this.isDue(isIdle)) return
    const rest = this.#rest ?? this.#begin()
    let last: Waiting | undefined
    for (let done = 0; done < keys; done += 1) {
      const entry = rest.next()
      if (entry === undefined) return this.#end()
      this.#insert.run(entry.key, entry.id, checksumOf(entry.key, entry.id), entry.marked ?? null)
      this.#forget(entry)
      last = entry
    }
    this.#saveProgress(last!.key)
  }

  #begin(): RunMerge<Waiting> {
    this.#lastId = this.#nextId - 1
    this.#current = this.#next
    this.#next = new KeyRuns()
    this.#rest = this.#current.from('')
    return this.#rest
  }

  #end(): void {
    this.#indexedTo = this.#lastId
    this.#saveProgress('')
    this.#current = new KeyRuns()
    this.#rest = undefined
  }

  #saveProgress(doneTo: string): void {
    const columns = [this.#indexedTo, this.#lastId, doneTo]
    this.#progress.run(...columns, checksumOf(...columns))
  }

  /**
   * Rebuilds the table with all keys from the rows. This takes some seconds for a million rows. Marks of keys
   * are lost.
   *
   * @throws {DamagedColumnError} when the key of a row is damaged, because the original key cannot be found
   */
  rebuild(): void {
    const rows = new RowQuery(this.#db, `SELECT ${HEAD_COLUMNS.join(', ')}, id, key FROM record`)
    let lastId = 0
    for (const columns of rows.iterate()) {
      const { id } = this.#placeOf(columns)
      lastId = Math.max(lastId, id)
    }
    this.#db.exec(`
      DELETE FROM key_index;
      INSERT INTO key_index (key, id, key_checksum) SELECT key, id, entry_checksum(key, id) FROM record ORDER BY key;
    `)
    this.#indexedTo = lastId
    this.#lastId = lastId
    this.#saveProgress('')
    this.#filledTo = ''
    this.reload()
  }

  /**
   * Reads again what the database holds. Marks of waiting keys are lost.
   *
   * @throws {DamagedIndexError}
   */
  reload(): void {
    this.#waiting.clear()
    this.#next = new KeyRuns()
    this.#current = new KeyRuns()
    this.#rest = undefined
    this.#added = 0
    const progress = this.#db.prepare('SELECT * FROM indexing').get()
    const columns = [progress?.indexed_to, progress?.last_id, progress?.done_to]
    if (progress?.checksum !== checksumOf(...columns))
      throw new DamagedIndexError('the position of the index is damaged')
    this.#indexedTo = integer(progress.indexed_to)
    this.#lastId = integer(progress.last_id)
    const maxId = this.#db.prepare('SELECT MAX(id) AS id FROM record').get()?.id ?? 0
    // The id of a deleted row may be used again, but no id up to `lastId`: those count as indexed.
    this.#nextId = Math.max(this.#lastId, integer(maxId)) + 1
    const select = new RowQuery(this.#db, SELECT_WAITING)
    for (const columns of select.iterate()) {
      const { id, key } = this.#placeOf(columns)
      this.#keep(key, hashKey(key, this.#secret), id, undefined)
    }
    this.#rest = this.#lastId > this.#indexedTo ? this.#current.from('') : undefined
  }

  /**
   * The id and the key of a row, which come after `HEAD_COLUMNS`. Other columns of the row may be damaged.
   *
   * @throws {DamagedColumnError} when it is not sure that the key is the original one
   */
  #placeOf(columns: readonly SQLOutputValue[]): Readonly<{ id: number; key: string }> {
    const id = integer(columns[HEAD_COLUMNS.length])
    const key = text(columns[HEAD_COLUMNS.length + 1])
    if (isWholeHead(key, columns)) return { id, key }
    const [checksum, state] = this.#state.get(id) ?? []
    if (isStateOf(key, checksum, state)) return { id, key }
    // The checksum itself may be damaged. Leaf and digest are made of the key too.
    const hash = hashKey(key, this.#secret)
    const digestOf = (record: Digested) => ({ leaf: leafOfHash(hash), digest: digestOfHash(hash, record) })
    if (hasDigest(columns, digestOf)) return { id, key }
    throw new DamagedColumnError(`row ${id} of the records has lost its key`)
  }

  #keep(key: string, hash: KeyHash, id: number, head: RecordHead | undefined): Waiting {
    const entry = { key, hash, order: orderOf(key), id, isGone: false, head, marked: undefined }
    this.#filter.add(hash)
    this.#waiting.add(entry)
    if (id > this.#lastId) this.#next.add(entry)
    else this.#current.add(entry)
    return entry
  }

  #forget(entry: Waiting): void {
    entry.isGone = true
    this.#waiting.delete(entry)
  }
}

function damagedNear(key: string): DamagedIndexError {
  return new DamagedIndexError(`the index is damaged near the key '${key}'`)
}
