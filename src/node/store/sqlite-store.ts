import assert from 'node:assert/strict'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { type Ballot, compareBallots } from '../../register/ballot.ts'
import type { KeyRecord } from '../../register/messages.ts'
import type { WriteId } from '../../register/state.ts'
import type { Membership, ScanRange } from '../../rpc/messages.ts'
import { integer, row } from './columns.ts'
import { openDatabase } from './connection.ts'
import { DIGEST_END, digestOf, leafOf } from './digest.ts'
import { FreeSpace } from './free-space.ts'
import { readMembership, readNodeId, writeMembership } from './identity.ts'
import { Inventory, NOTHING, type Weight, weightOf } from './inventory.ts'
import { formatLineage } from './lineage.ts'
import { migrate } from './migrations.ts'
import { columnsOf, RECORD_COLUMNS, recordOf } from './record-rows.ts'
import { RecordScan } from './record-scan.ts'
import type { RecordStore, ScanSlice } from './record-store.ts'
import { asFault, sqliteCode } from './sqlite-fault.ts'

const INSERT = `INSERT INTO record (key, leaf, digest, ${RECORD_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
const INSERT_FIRST = `${INSERT} ON CONFLICT (key) DO NOTHING`
const UPSERT = `
  ${INSERT} ON CONFLICT (key) DO UPDATE SET
    digest = excluded.digest,
    promised_round = excluded.promised_round, promised_proposer = excluded.promised_proposer,
    accepted_round = excluded.accepted_round, accepted_proposer = excluded.accepted_proposer,
    generation = excluded.generation, lineage = excluded.lineage, chosen = excluded.chosen,
    is_stub = excluded.is_stub, value = excluded.value`

/** What a prepare or a mark changes: both leave the accepted ballot and the state as they are. */
const UPDATE = 'UPDATE record SET promised_round = ?, promised_proposer = ?, chosen = ? WHERE key = ?'

/** `onMark` in SQL. The write id of a state is the last one of its lineage. */
const MARK = `
  UPDATE record SET chosen = 1
  WHERE key = ?1 AND chosen = 0 AND accepted_round = ?2 AND accepted_proposer = ?3
    AND (lineage = ?4 OR substr(lineage, -length(?4) - 1) = ' ' || ?4)`

const INVENTORY = `
  SELECT leaf, COUNT(*), SUM(value IS NULL AND accepted_round IS NOT NULL), SUM(is_stub), SUM(digest) % ${DIGEST_END}
  FROM record GROUP BY leaf`

/** Called after each commit that wrote something, with the time that the commit took in milliseconds. */
export type OnCommit = (durationMs: number) => void

/**
 * The store of a node in one SQLite database, which is created when there is none. Only one process may have
 * it open for writing.
 */
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
  readonly #scan: RecordScan
  readonly #freeSpace: FreeSpace
  #membership: Membership | undefined
  #hasWritten = false
  /** What the open transaction changes in the inventory. It takes effect after the commit. */
  #changes: [leaf: number, before: Weight, after: Weight][] = []

  /** @throws {FaultError} when the database cannot be used. The error says why. */
  constructor(path: string, onCommit: OnCommit = () => {}) {
    this.#path = path
    this.#onCommit = onCommit
    let db: DatabaseSync | undefined
    try {
      db = openDatabase(path)
      this.#db = db
      migrate(this.#db)
      this.nodeId = readNodeId(this.#db)
      this.#membership = readMembership(this.#db)
      this.#begin = this.#db.prepare('BEGIN IMMEDIATE')
      this.#commit = this.#db.prepare('COMMIT')
      this.#load = this.#db.prepare(`SELECT ${RECORD_COLUMNS} FROM record WHERE key = ?`, {
        returnArrays: true,
      })
      this.#insert = this.#db.prepare(INSERT_FIRST)
      this.#upsert = this.#db.prepare(UPSERT)
      this.#update = this.#db.prepare(UPDATE)
      this.#mark = this.#db.prepare(MARK)
      this.#remove = this.#db.prepare('DELETE FROM record WHERE key = ?')
      this.#scan = new RecordScan(this.#db)
      this.#freeSpace = new FreeSpace(this.#db, path)
      takeInventory(this.#db, this.inventory)
    } catch (error) {
      db?.close()
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
    this.#upsert.run(key, leaf, digest, ...columnsOf(record))
    this.#changes.push([leaf, weightBefore, weightOf(record, digest)])
  }

  insert(key: string, record: KeyRecord): boolean {
    assert.ok(this.#db.isTransaction, 'an insert belongs to a transaction')
    assertValid(record)
    const leaf = leafOf(key)
    const digest = digestOf(key, record)
    if (this.#insert.run(key, leaf, digest, ...columnsOf(record)).changes === 0) return false
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
    writeMembership(this.#db, membership)
    this.#membership = membership
  }

  scan(range: ScanRange, limit: number): ScanSlice {
    return this.#guard(() => this.#scan.slice(range, limit))
  }

  reclaim(isIdle: boolean): boolean {
    return this.#guard(() => this.#freeSpace.reclaim(isIdle))
  }

  close(): void {
    this.#db.close()
  }

  /**
   * Rolls back an open transaction when anything in it fails. Errors of SQLite become faults that say what to
   * do.
   */
  #guard<T>(fn: () => T): T {
    try {
      return fn()
    } catch (error) {
      if (this.#db.isTransaction) this.#rollback()
      // An error of any other kind is a bug, and is passed on unchanged.
      throw sqliteCode(error) === undefined ? error : asFault(error, this.#path)
    }
  }

  #rollback(): void {
    try {
      this.#db.exec('ROLLBACK')
    } catch {
      // The first failure is the one to report. Without a commit nothing was kept in any case.
    }
  }
}

function assertValid({ promised, accepted, isStub }: KeyRecord): void {
  assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
  assert.ok(!isStub || accepted === undefined, 'a stub has accepted nothing')
}

/** Counts and sums up all records. It takes about half a second for a million of them. */
function takeInventory(db: DatabaseSync, inventory: Inventory): void {
  const statement = db.prepare(INVENTORY, { returnArrays: true })
  for (const found of statement.iterate()) {
    const [leaf, recordCount, tombstoneCount, stubCount, digest] = row(found).map(integer) as LeafRow
    inventory.replace(leaf, NOTHING, { recordCount, tombstoneCount, stubCount, digest })
  }
}

type LeafRow = [leaf: number, recordCount: number, tombstoneCount: number, stubCount: number, digest: number]
