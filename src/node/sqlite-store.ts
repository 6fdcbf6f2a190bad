import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { DatabaseSync, type SQLOutputValue, type StatementSync } from 'node:sqlite'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { type Ballot, compareBallots } from '../register/ballot.ts'
import type { Record } from '../register/messages.ts'
import { ABSENT, type State, type WriteId } from '../register/state.ts'
import type { Membership, ScanEntry, ScanRange } from '../rpc/messages.ts'
import { migrate } from './migrations.ts'
import { asFault, sqliteCode } from './sqlite-fault.ts'
import type { RecordStore } from './store.ts'

/** How long to wait for another program, such as `sqlite3`, that holds the database. */
const BUSY_TIMEOUT_MS = 2_000

/** A page of a scan ends when its values have this size, so that it fits a message many times over. */
const SCAN_PAGE_BYTES = 1024 * 1024

const COLUMNS =
  'promised_round, promised_proposer, accepted_round, accepted_proposer, generation, lineage, chosen, value'

const UPSERT = `
  INSERT INTO record (key, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (key) DO UPDATE SET
    promised_round = excluded.promised_round, promised_proposer = excluded.promised_proposer,
    accepted_round = excluded.accepted_round, accepted_proposer = excluded.accepted_proposer,
    generation = excluded.generation, lineage = excluded.lineage, chosen = excluded.chosen,
    value = excluded.value`

// The value's pages are not even read when it is not wanted.
const SCAN_COLUMNS = `key, ${COLUMNS.replace('value', 'CASE WHEN ? THEN NULL ELSE value END')}`

/** A node's store in one SQLite database, made when there is none. Only one process may have it open for writing. */
export class SqliteStore implements RecordStore {
  readonly nodeId: string
  readonly #path: string
  readonly #db: DatabaseSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #load: StatementSync
  readonly #save: StatementSync
  readonly #scanFrom: StatementSync
  readonly #scanBetween: StatementSync
  readonly #count: StatementSync
  #membership: Membership | undefined

  /** @throws {FaultError} when the database cannot be used, and why. */
  constructor(path: string) {
    this.#path = path
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
      this.#save = this.#db.prepare(UPSERT)
      const order = 'ORDER BY key LIMIT ?'
      this.#scanFrom = this.#db.prepare(`SELECT ${SCAN_COLUMNS} FROM record WHERE key >= ? ${order}`, rows)
      this.#scanBetween = this.#db.prepare(
        `SELECT ${SCAN_COLUMNS} FROM record WHERE key >= ? AND key < ? ${order}`,
        rows,
      )
      this.#count = this.#db.prepare('SELECT record_count FROM node', rows)
    } catch (error) {
      throw asFault(error, path)
    }
  }

  get membership(): Membership | undefined {
    return this.#membership
  }

  get recordCount(): number {
    return this.#guard(() => integer(row(this.#count.get())[0]))
  }

  transaction<T>(fn: () => T): T {
    assert.ok(!this.#db.isTransaction, 'transactions are not nested')
    return this.#guard(() => {
      this.#begin.run()
      const result = fn()
      this.#commit.run()
      return result
    })
  }

  load(key: string): Record {
    return this.#guard(() => {
      const found = this.#load.get(key)
      return found === undefined ? EMPTY_RECORD : recordOf(row(found), 0)
    })
  }

  save(key: string, { promised, accepted, state, chosen }: Record): void {
    assert.ok(this.#db.isTransaction, 'a save belongs to a transaction')
    assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
    this.#save.run(
      key,
      promised.round,
      promised.proposerId,
      accepted?.round ?? null,
      accepted?.proposerId ?? null,
      state.generation,
      formatLineage(state.lineage),
      chosen ? 1 : 0,
      state.value ?? null,
    )
  }

  saveMembership(membership: Membership): void {
    assert.ok(this.#db.isTransaction, 'a save belongs to a transaction')
    this.#db
      .prepare('INSERT OR REPLACE INTO membership (id, cluster_id, epoch, members) VALUES (1, ?, ?, ?)')
      .run(membership.clusterId, membership.epoch, JSON.stringify(membership.members))
    this.#membership = membership
  }

  scan({ start, end, omitValues }: ScanRange, limit: number): readonly ScanEntry[] {
    return this.#guard(() => {
      const omit = omitValues ? 1 : 0
      const found =
        end === ''
          ? this.#scanFrom.iterate(omit, start, limit)
          : this.#scanBetween.iterate(omit, start, end, limit)
      const entries: ScanEntry[] = []
      let bytes = 0
      for (const columns of found) {
        const [key] = row(columns)
        const record = recordOf(row(columns), 1)
        entries.push({ key: text(key), record })
        bytes += record.state.value?.length ?? 0
        if (bytes >= SCAN_PAGE_BYTES) break
      }
      return entries
    })
  }

  close(): void {
    this.#db.close()
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
  // What a burst made larger is given back.
  db.exec('PRAGMA journal_size_limit = 67108864')
}

function identify(db: DatabaseSync): string {
  db.prepare('INSERT OR IGNORE INTO node (id, node_id) VALUES (1, ?)').run(randomUUID())
  return text(db.prepare('SELECT node_id FROM node').get()?.node_id)
}

function readMembership(db: DatabaseSync): Membership | undefined {
  const found = db.prepare('SELECT cluster_id, epoch, members FROM membership').get()
  if (found === undefined) return undefined
  return {
    clusterId: text(found.cluster_id),
    epoch: integer(found.epoch),
    members: JSON.parse(text(found.members)),
  }
}

/** The record in the columns from `at` on, in the order of `COLUMNS`. */
function recordOf(columns: readonly SQLOutputValue[], at: number): Record {
  const promised = { round: integer(columns[at]), proposerId: integer(columns[at + 1]) }
  const accepted: Ballot | undefined =
    columns[at + 2] === null
      ? undefined
      : { round: integer(columns[at + 2]), proposerId: integer(columns[at + 3]) }
  assert.ok(accepted === undefined || compareBallots(accepted, promised) < 0, 'accepted is below promised')
  const generation = integer(columns[at + 4])
  const value = columns[at + 7]
  return {
    promised,
    accepted,
    state: stateOf(generation, text(columns[at + 5]), value instanceof Uint8Array ? value : undefined),
    chosen: columns[at + 6] === 1,
  }
}

function stateOf(generation: number, lineageText: string, value: Uint8Array | undefined): State {
  if (generation === 0) return ABSENT
  const lineage = parseLineage(lineageText)
  const writeId = lineage.at(-1)
  assert.ok(writeId !== undefined, 'a written state has a lineage')
  return { generation, writeId, lineage, value }
}

function formatLineage(lineage: readonly WriteId[]): string {
  return lineage.map(({ proposerId, sequence }) => `${proposerId}.${sequence}`).join(' ')
}

function parseLineage(lineage: string): WriteId[] {
  return lineage.split(' ').map((writeId) => {
    const dot = writeId.indexOf('.')
    return { proposerId: Number(writeId.slice(0, dot)), sequence: Number(writeId.slice(dot + 1)) }
  })
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
