import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { FaultError } from '../../process/fault.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { ABSENT, LINEAGE_LENGTH, type State } from '../../register/state.ts'
import { checksumOf, integer, row, text } from './columns.ts'
import { digestOf, leafOf } from './digest-hash.ts'
import { addChecksums } from './identity.ts'
import { CHOSEN_VALUE, ROW_COLUMNS, rowOf } from './record-rows.ts'

/** Called with the progress of an upgrade, in records. */
export type OnUpgrade = (done: number, total: number) => void

/** Records that are copied in one transaction. */
const COPIED_AT_ONCE = 5_000

/** Begins the upgrade to narrow rows: from here on, an older program refuses the database. */
export const BEGIN_NARROW_ROWS = `
  -- A row for each record, in the order in which they were made. It has no index by key: key_index is made
  -- later.
  CREATE TABLE new_record (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL, -- compared as UTF-8 bytes; no two rows have the same
    leaf INTEGER NOT NULL, -- of the digests, 0 to 65,535
    digest INTEGER NOT NULL, -- what this record adds to the digest of its leaf
    promised_round INTEGER NOT NULL,
    promised_proposer INTEGER NOT NULL,
    accepted_round INTEGER, -- NULL: nothing was accepted
    accepted_proposer INTEGER,
    is_stub INTEGER NOT NULL,
    write_proposer INTEGER NOT NULL, -- the write id of the state; 0: the state is absent
    write_sequence INTEGER NOT NULL,
    value_bytes INTEGER, -- the length of the value, which is the end of the state; NULL: no value
    checksum INTEGER NOT NULL, -- CRC-32 of the key and the state
    chosen INTEGER, -- made of checksum and ballot when the state is known to be chosen (the view records has how)
    head_checksum INTEGER NOT NULL, -- CRC-32 of the key and the columns from leaf to checksum
    state BLOB -- the protobuf message State; NULL: absent
  ) STRICT;

  -- The rows by key.
  CREATE TABLE key_index (
    key TEXT NOT NULL PRIMARY KEY,
    id INTEGER NOT NULL,
    key_checksum INTEGER NOT NULL, -- CRC-32 of key and id
    marked INTEGER -- as chosen, for marks that came before the key was put in here
  ) STRICT, WITHOUT ROWID;

  -- The few keys whose records have no value. A table and not an index of record: SQLite would refuse to
  -- change a damaged row that its index does not know.
  CREATE TABLE removable_key (
    key TEXT NOT NULL PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  -- One row: which rows of record are in key_index. Those up to indexed_to are; of those after that and up to
  -- last_id, those whose key is up to done_to are.
  CREATE TABLE indexing (
    indexed_to INTEGER NOT NULL,
    last_id INTEGER NOT NULL,
    done_to TEXT NOT NULL,
    checksum INTEGER NOT NULL -- CRC-32 of the other columns
  ) STRICT;
`

const END_NARROW_ROWS = `
  DROP TABLE record;
  ALTER TABLE new_record RENAME TO record;
  -- 16 hexadecimal digits that key the hash of keys; NULL: the cluster was born without them.
  ALTER TABLE membership ADD COLUMN hash_secret TEXT;
  ALTER TABLE node ADD COLUMN checksum INTEGER; -- CRC-32 of the other columns
  ALTER TABLE membership ADD COLUMN checksum INTEGER; -- CRC-32 of the other columns

  -- For people: each record, with its value.
  CREATE VIEW records AS
    SELECT key, promised_round, promised_proposer, accepted_round, accepted_proposer, write_proposer, write_sequence,
      COALESCE(
        ${CHOSEN_VALUE} IN (chosen, (SELECT marked FROM key_index WHERE key_index.key = record.key)), 0
      ) AS is_chosen,
      is_stub,
      CASE WHEN value_bytes > 0 THEN substr(state, -value_bytes) WHEN value_bytes = 0 THEN x'' END AS value
    FROM record;

  -- For people: each group, as JSON. One that is not chosen yet, or no longer, is among them.
  CREATE VIEW groups AS
    SELECT substr(key, 7) AS group_id, is_chosen, accepted_round, CAST(value AS TEXT) AS value
    FROM records WHERE key >= 'group/' AND key < 'group0' AND value IS NOT NULL;
`

const OLD_COLUMNS = `key, promised_round, promised_proposer, accepted_round, accepted_proposer, chosen, is_stub, generation,
  lineage, value`

/**
 * Copies all records into narrow rows, in the order of their keys, and replaces the old table by the new one.
 * It may be interrupted anywhere: it then continues after the last copied key.
 *
 * @throws {FaultError} `store_corrupt` when a record is not what 0.1.0 wrote
 */
export function copyNarrowRows(db: DatabaseSync, version: number, onUpgrade: OnUpgrade): void {
  const total = integer(db.prepare('SELECT COUNT(*) AS count FROM record').get()?.count)
  let done = integer(db.prepare('SELECT COUNT(*) AS count FROM new_record').get()?.count)
  const last = db.prepare('SELECT MAX(key) AS key FROM key_index')
  const next = db.prepare(
    `SELECT ${OLD_COLUMNS} FROM record WHERE key > ? ORDER BY key LIMIT ${COPIED_AT_ONCE}`,
    {
      returnArrays: true,
    },
  )
  const insert = db.prepare(
    `INSERT INTO new_record (id, key, ${ROW_COLUMNS.join(', ')}) VALUES (?, ?${', ?'.repeat(ROW_COLUMNS.length)})`,
  )
  const removable = db.prepare('INSERT INTO removable_key VALUES (?)')
  const index = db.prepare('INSERT INTO key_index (key, id, key_checksum) VALUES (?, ?, ?)')
  while (done < total) {
    db.exec('BEGIN IMMEDIATE')
    for (const found of next.iterate(last.get()?.key ?? '')) {
      const [key, record] = entryOf(row(found))
      done += 1
      insert.run(done, ...rowOf(key, record, { leaf: leafOf(key), digest: digestOf(key, record) }))
      index.run(key, done, checksumOf(key, done))
      if (record.state.value === undefined) removable.run(key)
    }
    db.exec('COMMIT')
    onUpgrade(done, total)
  }
  db.exec(`BEGIN IMMEDIATE; ${END_NARROW_ROWS}`)
  addChecksums(db)
  const columns = [done, done, '']
  db.prepare('INSERT INTO indexing VALUES (?, ?, ?, ?)').run(...columns, checksumOf(...columns))
  db.exec(`PRAGMA user_version = ${version}; COMMIT`)
}

function entryOf(columns: readonly SQLOutputValue[]): [string, KeyRecord] {
  const key = text(columns[0])
  const [promisedRound, promisedProposer] = [integer(columns[1]), integer(columns[2])]
  const accepted =
    columns[3] === null ? undefined : { round: integer(columns[3]), proposerId: integer(columns[4]) }
  const record = {
    promised: { round: promisedRound, proposerId: promisedProposer },
    accepted,
    state: stateOf(key, integer(columns[7]), text(columns[8]), columns[9] ?? undefined),
    chosen: columns[5] === 1,
    isStub: columns[6] === 1,
  }
  return [key, record]
}

function stateOf(
  key: string,
  generation: number,
  lineageText: string,
  value: SQLOutputValue | undefined,
): State {
  if (generation === 0) return ABSENT
  const lineage = lineageText.split(' ').map((writeId) => {
    const [proposerId, sequence] = writeId.split('.').map(Number)
    return { proposerId: proposerId ?? 0, sequence: sequence ?? 0 }
  })
  const isWhole =
    lineage.length === Math.min(generation, LINEAGE_LENGTH) &&
    lineage.every(({ proposerId, sequence }) => proposerId > 0 && sequence > 0)
  if (!isWhole || !(value === undefined || value instanceof Uint8Array)) {
    throw new FaultError(
      'store_corrupt',
      `the record of '${key}' is damaged, so the database cannot be upgraded: the other nodes are not affected. Check ` +
        'the disk, then replace this node by one with an empty data directory.',
      undefined,
    )
  }
  return { generation, writeId: lineage.at(-1)!, lineage, value }
}
