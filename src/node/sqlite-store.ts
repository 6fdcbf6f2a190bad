import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { statSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { type Ballot, compareBallots } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { ABSENT, type State, type WriteId } from '../register/state.ts'
import { LEAF_COUNT, type Membership, type ScanEntry, type ScanRange } from '../rpc/messages.ts'
import { DIGEST_END, digestOf, leafOf } from './digest.ts'
import { Inventory, NOTHING, type Weight, weightOf } from './inventory.ts'
import { formatLineage, parseLineage } from './lineage.ts'
import { migrate } from './migrations.ts'
import { asFault, sqliteCode } from './sqlite-fault.ts'
import type { RecordStore, ScanSlice } from './store.ts'

/** How long to wait for another program, such as `sqlite3`, that holds the database. */
const BUSY_TIMEOUT_MS = 2_000

/** How much of the database is kept in memory, at most. */
const CACHE_KIB = 64 * 1024

/** A page of a scan ends when its values have this size, so that it fits a message many times over. */
const SCAN_PAGE_BYTES = 1024 * 1024

/** Keys that one page of a scan of some leaves looks at: no turn takes much longer, however few of them are wanted. */
const SCAN_SLICE_KEYS = 1_024

/**
 * Free pages (4 KB each) that are kept for what comes next: so many, or so large a share of all. What is more is given
 * back, some pages in a step: moving 256 takes about 3 ms and their fsync.
 */
const FREE_PAGES_KEPT = 1_024
const FREE_SHARE_KEPT = 1 / 8
const PAGES_PER_STEP = 256

/** A write-ahead log that is longer is emptied when nobody waits. */
const IDLE_LOG_BYTES = 4 * 1024 * 1024

const COLUMNS =
  'promised_round, promised_proposer, accepted_round, accepted_proposer, generation, lineage, chosen, is_stub, value'

const INSERT = `INSERT INTO record (key, leaf, digest, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const INSERT_FIRST = `${INSERT} ON CONFLICT (key) DO NOTHING`
const UPSERT = `
  ${INSERT} ON CONFLICT (key) DO UPDATE SET
    digest = excluded.digest,
    promised_round = excluded.promised_round, promised_proposer = excluded.promised_proposer,
    accepted_round = excluded.accepted_round, accepted_proposer = excluded.accepted_proposer,
    generation = excluded.generation, lineage = excluded.lineage, chosen = excluded.chosen,
    is_stub = excluded.is_stub, value = excluded.value`

/** What a prepare or a mark changes, which leave vote and state alone. */
const UPDATE = 'UPDATE record SET promised_round = ?, promised_proposer = ?, chosen = ? WHERE key = ?'

/** `onMark` in SQL. The write id of a state is the last of its lineage. */
const MARK = `
  UPDATE record SET chosen = 1
  WHERE key = ?1 AND chosen = 0 AND accepted_round = ?2 AND accepted_proposer = ?3
    AND (lineage = ?4 OR substr(lineage, -length(?4) - 1) = ' ' || ?4)`

const INVENTORY = `
  SELECT leaf, COUNT(*), SUM(value IS NULL AND accepted_round IS NOT NULL), SUM(is_stub), SUM(digest) % ${DIGEST_END}
  FROM record GROUP BY leaf`

// The value's pages are not even read when it is not wanted.
const SCAN_COLUMNS = `key, ${COLUMNS.replace('value', 'CASE WHEN ? THEN NULL ELSE value END')}`

/** Both ends bound the index that is read; to the last key, the second is `AFTER_ALL_KEYS`. */
const IN_RANGE = 'key >= ? AND key < ?'

/** SQLite orders every blob behind every text. */
const AFTER_ALL_KEYS = new Uint8Array()

/** Told of each commit that wrote something: how long it took, in milliseconds. */
export type OnCommit = (durationMs: number) => void

/** A node's store in one SQLite database, made when there is none. Only one process may have it open for writing. */
export class SqliteStore implements RecordStore {
  readonly nodeId: string
  readonly inventory = new Inventory()
  readonly #path: string
  readonly #onCommit: OnCommit
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #load: StatementSync
  readonly #insert: StatementSync
  readonly #upsert: StatementSync
  readonly #update: StatementSync
  readonly #mark: StatementSync
  readonly #remove: StatementSync
  readonly #scan: StatementSync
  readonly #scanRemovable: StatementSync
  readonly #scanLeaves: StatementSync
  readonly #sliceEnd: StatementSync
  readonly #flags = new WeakMap<ReadonlySet<number>, Uint8Array>()
  #membership: Membership | undefined
  #hasWritten = false
  /** What the transaction under way changes of the inventory, once it is committed. */
  #changes: [leaf: number, before: Weight, after: Weight][] = []

  /** @throws {FaultError} when the database cannot be used, and why. */
  constructor(path: string, onCommit: OnCommit = () => {}) {
    this.#path = path
    this.#onCommit = onCommit
    try {
      this.#db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS })
      configure(this.#db)
      migrate(this.#db)
      this.nodeId = identify(this.#db)
      this.#membership = readMembership(this.#db)
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE')
      this.#commit = this.#db.prepare('COMMIT')
      const rows = { returnArrays: true }
      this.#load = this.#db.prepare(`SELECT ${COLUMNS} FROM record WHERE key = ?`, rows)
      this.#insert = this.#db.prepare(INSERT_FIRST)
      this.#upsert = this.#db.prepare(UPSERT)
      this.#update = this.#db.prepare(UPDATE)
      this.#mark = this.#db.prepare(MARK)
      this.#remove = this.#db.prepare('DELETE FROM record WHERE key = ?')
      const order = 'ORDER BY key LIMIT ?'
      this.#scan = this.#db.prepare(`SELECT ${SCAN_COLUMNS} FROM record WHERE ${IN_RANGE} ${order}`, rows)
      this.#scanRemovable = this.#db.prepare(
        `SELECT ${SCAN_COLUMNS} FROM record INDEXED BY removable WHERE value IS NULL AND ${IN_RANGE} ${order}`,
        rows,
      )
      this.#scanLeaves = this.#db.prepare(
        `SELECT ${SCAN_COLUMNS} FROM record WHERE substr(?, leaf + 1, 1) = x'01' AND ${IN_RANGE} ${order}`,
        rows,
      )
      this.#sliceEnd = this.#db.prepare(
        `SELECT key FROM record WHERE ${IN_RANGE} ORDER BY key LIMIT 1 OFFSET ?`,
        rows,
      )
      takeInventory(this.#db, this.inventory)
    } catch (error) {
      throw asFault(error, path)
    }
  }

  get membership(): Membership | undefined {
    return this.#membership
  }

  transaction<T>(fn: () => T): T {
    assert.ok(!this.#db.isTransaction, 'transactions are not nested')
    return this.#guard(() => {
      this.#begin.run()
      this.#changes = []
      this.#hasWritten = false
      const result = fn()
      this.#commitTimed()
      for (const change of this.#changes) this.inventory.replace(...change)
      return result
    })
  }

  #commitTimed(): void {
    const startMs = performance.now()
    this.#commit.run()
    if (this.#hasWritten) this.#onCommit(performance.now() - startMs)
  }

  load(key: string): KeyRecord {
    return this.#guard(() => {
      const found = this.#load.get(key)
      return found === undefined ? EMPTY_RECORD : recordOf(row(found), 0)
    })
  }

  save(key: string, before: KeyRecord, record: KeyRecord): void {
    assert.ok(this.#db.isTransaction, 'a save belongs to a transaction')
    assertValid(record)
    this.#hasWritten = true
    const { promised, accepted, state, chosen, isStub } = record
    const isThere = before !== EMPTY_RECORD
    const isRemoval = record === EMPTY_RECORD
    if (
      isThere &&
      !isRemoval &&
      before.accepted === accepted &&
      before.state === state &&
      before.isStub === isStub
    ) {
      this.#update.run(promised.round, promised.proposerId, chosen ? 1 : 0, key)
      return
    }
    const leaf = leafOf(key)
    const weightBefore = isThere ? weightOf(before, digestOf(key, before)) : NOTHING
    if (isRemoval) {
      this.#remove.run(key)
      this.#changes.push([leaf, weightBefore, NOTHING])
      return
    }
    const digest = digestOf(key, record)
    write(this.#upsert, key, leaf, digest, record)
    this.#changes.push([leaf, weightBefore, weightOf(record, digest)])
  }

  insert(key: string, record: KeyRecord): boolean {
    assert.ok(this.#db.isTransaction, 'an insert belongs to a transaction')
    assertValid(record)
    const leaf = leafOf(key)
    const digest = digestOf(key, record)
    if (write(this.#insert, key, leaf, digest, record) === 0) return false
    this.#hasWritten = true
    this.#changes.push([leaf, NOTHING, weightOf(record, digest)])
    return true
  }

  mark(key: string, { round, proposerId }: Ballot, writeId: WriteId): boolean {
    assert.ok(this.#db.isTransaction, 'a mark belongs to a transaction')
    const written = writeId.proposerId === 0 ? '' : formatLineage([writeId])
    const isMarked = this.#mark.run(key, round, proposerId, written).changes === 1
    if (isMarked) this.#hasWritten = true
    return isMarked
  }

  saveMembership(membership: Membership): void {
    assert.ok(this.#db.isTransaction, 'a save belongs to a transaction')
    this.#hasWritten = true
    this.#db
      .prepare(
        'INSERT OR REPLACE INTO membership (id, cluster_id, epoch, members, outgoing, tombstone_grace_ms) VALUES (1, ?, ?, ?, ?, ?)',
      )
      .run(
        membership.clusterId,
        membership.epoch,
        JSON.stringify(membership.members),
        membership.outgoing === undefined ? null : JSON.stringify(membership.outgoing),
        membership.tombstoneGraceMs,
      )
    this.#membership = membership
  }

  scan(range: ScanRange, limit: number): ScanSlice {
    return this.#guard(() => {
      const end = range.leaves === undefined ? range.end : this.#endOfSlice(range)
      const entries = this.#readEntries({ ...range, end }, limit)
      const last = entries.at(-1)
      // The first key behind it: keys have no NUL of their own.
      if (last !== undefined) return { entries, nextStart: `${last.key}\0` }
      return { entries, nextStart: end === range.end ? undefined : end }
    })
  }

  reclaim(isIdle: boolean): boolean {
    return this.#guard(() => {
      const free = this.#pragma('freelist_count')
      const kept = Math.max(FREE_PAGES_KEPT, FREE_SHARE_KEPT * this.#pragma('page_count'))
      if (free > kept) {
        this.#db.exec(`PRAGMA incremental_vacuum(${Math.min(PAGES_PER_STEP, Math.ceil(free - kept))})`)
        return true
      }
      // Moves it into the database, and gives its space back. Another program that reads stops it: then some other time.
      if (isIdle && this.#logBytes() > IDLE_LOG_BYTES) this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
      return false
    })
  }

  close(): void {
    this.#db.close()
  }

  #logBytes(): number {
    return statSync(`${this.#path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  }

  #pragma(name: 'freelist_count' | 'page_count'): number {
    return integer(this.#db.prepare(`PRAGMA ${name}`).get()?.[name])
  }

  /** Where a scan of some leaves ends for now: it may have to pass over many keys to find one. */
  #endOfSlice({ start, end }: ScanRange): string {
    const found = this.#sliceEnd.get(start, boundOf(end), SCAN_SLICE_KEYS)
    return found === undefined ? end : text(row(found)[0])
  }

  #readEntries(range: ScanRange, limit: number): ScanEntry[] {
    const entries: ScanEntry[] = []
    let bytes = 0
    for (const columns of this.#select(range, limit)) {
      const [key] = row(columns)
      const record = recordOf(row(columns), 1)
      entries.push({ key: text(key), record })
      bytes += record.state.value?.length ?? 0
      if (bytes >= SCAN_PAGE_BYTES) break
    }
    return entries
  }

  #select({ start, end, omitValues, removableOnly, leaves }: ScanRange, limit: number) {
    const omit = omitValues ? 1 : 0
    if (removableOnly) return this.#scanRemovable.iterate(omit, start, boundOf(end), limit)
    if (leaves === undefined) return this.#scan.iterate(omit, start, boundOf(end), limit)
    return this.#scanLeaves.iterate(omit, this.#flagsOf(leaves), start, boundOf(end), limit)
  }

  /** A byte for each leaf, 1 where it is wanted: SQL finds a byte at once. A scan asks for the same ones with every page. */
  #flagsOf(leaves: ReadonlySet<number>): Uint8Array {
    const known = this.#flags.get(leaves)
    if (known !== undefined) return known
    const bytes = new Uint8Array(LEAF_COUNT)
    for (const leaf of leaves) bytes[leaf] = 1
    this.#flags.set(leaves, bytes)
    return bytes
  }

  /** Undoes an open transaction when anything in it failed, and says what the failure means. */
  #guard<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      if (this.#db.isTransaction) this.#rollback()
      // Anything else is a bug, not a fault: it stays what it is.
      throw sqliteCode(error) === undefined ? error : asFault(error, this.#path)
    }
  }

  #rollback(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // The failure that led here is the one to report; without a commit nothing was kept anyway.
    }
  }
}

function assertValid({ promised, accepted, isStub }: KeyRecord): void {
  assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
  assert.ok(!isStub || accepted === undefined, 'a stub has accepted nothing')
}

/** Runs an `INSERT`, and says how many rows that changed. */
function write(
  insert: StatementSync,
  key: string,
  leaf: number,
  digest: number,
  { promised, accepted, state, chosen, isStub }: KeyRecord,
): number | bigint {
  const { changes } = insert.run(
    key,
    leaf,
    digest,
    promised.round,
    promised.proposerId,
    accepted?.round ?? null,
    accepted?.proposerId ?? null,
    state.generation,
    formatLineage(state.lineage),
    chosen ? 1 : 0,
    isStub ? 1 : 0,
    state.value ?? null,
  )
  return changes
}

function configure(db: DatabaseSync): void {
  // Only at creation, before anything is written: free pages can then be given back later without a full VACUUM.
  db.exec('PRAGMA auto_vacuum = INCREMENTAL')
  db.exec('PRAGMA journal_mode = WAL')
  // In WAL mode only FULL syncs at every commit; an answer promises that much.
  db.exec('PRAGMA synchronous = FULL')
  // A checkpoint runs in the turn whose commit crosses this many pages (16 MB). Measured with batches of 18 creates:
  // with SQLite's 1,000 the p99 of a turn was 7 ms, with 4,000 it is 1 to 3 ms, and the longest about 25 ms; 16,000
  // gained little more and made that 40 ms. A second thread for checkpoints was no better: it contends for the disk.
  db.exec('PRAGMA wal_autocheckpoint = 4000')
  // SQLite's 2 MB do not hold the index of a few hundred thousand keys: a tenth of a create went to reading its pages again.
  db.exec(`PRAGMA cache_size = -${CACHE_KIB}`)
  // What a burst made larger is given back.
  db.exec('PRAGMA journal_size_limit = 67108864')
}

function identify(db: DatabaseSync): string {
  db.prepare('INSERT OR IGNORE INTO node (id, node_id) VALUES (1, ?)').run(randomUUID())
  return text(db.prepare('SELECT node_id FROM node').get()?.node_id)
}

function readMembership(db: DatabaseSync): Membership | undefined {
  const found = db
    .prepare('SELECT cluster_id, epoch, members, outgoing, tombstone_grace_ms FROM membership')
    .get()
  if (found === undefined) return undefined
  const membership = {
    clusterId: text(found.cluster_id),
    epoch: integer(found.epoch),
    members: JSON.parse(text(found.members)),
    tombstoneGraceMs: integer(found.tombstone_grace_ms),
  }
  return found.outgoing === null ? membership : { ...membership, outgoing: JSON.parse(text(found.outgoing)) }
}

/** Once, when the store is opened: from then on it is kept up. About half a second for a million records. */
function takeInventory(db: DatabaseSync, inventory: Inventory): void {
  const statement = db.prepare(INVENTORY, { returnArrays: true })
  for (const found of statement.iterate()) {
    const [leaf, recordCount, tombstoneCount, stubCount, digest] = row(found).map(integer) as LeafRow
    inventory.replace(leaf, NOTHING, { recordCount, tombstoneCount, stubCount, digest })
  }
}

type LeafRow = [leaf: number, recordCount: number, tombstoneCount: number, stubCount: number, digest: number]

function boundOf(end: ScanRange['end']): string | Uint8Array {
  return end === '' ? AFTER_ALL_KEYS : end
}

/** The record in the columns from `at` on, in the order of `COLUMNS`. */
function recordOf(columns: readonly SQLOutputValue[], at: number): KeyRecord {
  const promised = { round: integer(columns[at]), proposerId: integer(columns[at + 1]) }
  const accepted: Ballot | undefined =
    columns[at + 2] === null
      ? undefined
      : { round: integer(columns[at + 2]), proposerId: integer(columns[at + 3]) }
  assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
  const generation = integer(columns[at + 4])
  const value = columns[at + 8]
  return {
    promised,
    accepted,
    state: stateOf(generation, text(columns[at + 5]), value instanceof Uint8Array ? value : undefined),
    chosen: columns[at + 6] === 1,
    isStub: columns[at + 7] === 1,
  }
}

function stateOf(generation: number, lineageText: string, value: Uint8Array | undefined): State {
  if (generation === 0) return ABSENT
  const lineage = parseLineage(lineageText)
  const writeId = lineage.at(-1)
  assert.ok(writeId !== undefined, 'a written state has a lineage')
  return { generation, writeId, lineage, value }
}

// With `returnArrays` a row is an array, which the types of node:sqlite do not say.
function row(value: unknown): readonly SQLOutputValue[] {
  assert.ok(Array.isArray(value))
  return value
}

// The tables are STRICT: another type here means that somebody rewrote the schema.
function text(value: SQLOutputValue | undefined): string {
  assert.ok(typeof value === 'string')
  return value
}

function integer(value: SQLOutputValue | undefined): number {
  assert.ok(typeof value === 'number')
  return value
}
