import type { DatabaseSync } from 'node:sqlite'
import { FaultError } from '../../process/fault.ts'
import { TOMBSTONE_GRACE_MS } from '../../register/grace-time.ts'
import { BEGIN_NARROW_ROWS, copyNarrowRows, type OnUpgrade } from './narrow-rows.ts'
import { addPromiseBound } from './promise-bound.ts'

/**
 * SQL or a function, which runs in a transaction; or a function that makes its own transactions and sets the
 * version.
 */
type Step =
  | string
  | ((db: DatabaseSync) => void)
  | Readonly<{ run: (db: DatabaseSync, version: number, onUpgrade: OnUpgrade) => void }>

/**
 * The steps that made each version of the schema from the one before: the step at index i makes version i +
 * 1. A step that has been released is never changed. A new version is a new step at the end.
 */
const STEPS: readonly Step[] = [
  `
  -- One row: who this node is.
  CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node_id TEXT NOT NULL,
    record_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  -- At most one row: the cluster this node belongs to.
  CREATE TABLE membership (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cluster_id TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    members TEXT NOT NULL -- JSON: [{"nodeId", "address"}]
  ) STRICT;

  -- What the acceptor keeps for each key. A row id of its own, and not WITHOUT ROWID: rows are large, keys
  -- come in random order, and inserts then append instead of splitting pages.
  CREATE TABLE record (
    key TEXT NOT NULL PRIMARY KEY, -- compared as UTF-8 bytes
    promised_round INTEGER NOT NULL,
    promised_proposer INTEGER NOT NULL,
    accepted_round INTEGER, -- NULL: nothing was accepted
    accepted_proposer INTEGER,
    generation INTEGER NOT NULL,
    lineage TEXT NOT NULL, -- write ids as proposer.sequence, newest last, separated by a space
    value BLOB, -- NULL: a tombstone, or absent (generation 0)
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1))
  ) STRICT;

  -- Kept by the database, so that it is right whoever changes the table.
  CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
    UPDATE node SET record_count = record_count + 1;
  END;
  CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
    UPDATE node SET record_count = record_count - 1;
  END;
  `,
  addInventory,
  `
  -- JSON as in members: the members before the change, while the membership is being changed; else NULL.
  ALTER TABLE membership ADD COLUMN outgoing TEXT;
  `,
  `
  -- The default is the grace time of clusters that are older than this column.
  ALTER TABLE membership ADD COLUMN tombstone_grace_ms INTEGER NOT NULL DEFAULT ${TOMBSTONE_GRACE_MS};
  `,
  BEGIN_NARROW_ROWS,
  { run: copyNarrowRows },
  addPromiseBound,
]

/**
 * Adds stubs, and columns for leaves and digests, which stay 0: a later step computes them. From this version
 * on, counts are kept in memory: a row with the counts would be written by every create.
 */
function addInventory(db: DatabaseSync): void {
  db.exec(`
  -- The large column comes last, so that a statement that reads only other columns does not read its pages.
  CREATE TABLE new_record (
    key TEXT NOT NULL PRIMARY KEY, -- compared as UTF-8 bytes
    leaf INTEGER NOT NULL, -- of the digest, 0 to 65,535
    digest INTEGER NOT NULL, -- what this record adds to that of its leaf
    promised_round INTEGER NOT NULL,
    promised_proposer INTEGER NOT NULL,
    accepted_round INTEGER, -- NULL: nothing was accepted
    accepted_proposer INTEGER,
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1)),
    is_stub INTEGER NOT NULL CHECK (is_stub IN (0, 1)),
    generation INTEGER NOT NULL,
    lineage TEXT NOT NULL, -- write ids as proposer.sequence, newest last, separated by a space
    value BLOB -- NULL: a tombstone, absent (generation 0), or a stub
  ) STRICT;
  INSERT INTO new_record
    SELECT key, 0, 0, promised_round,
      promised_proposer, accepted_round, accepted_proposer, chosen, 0, generation, lineage, value
    FROM record;
  DROP TABLE record; -- and with it its triggers
  ALTER TABLE new_record RENAME TO record;

  -- The few records that wait to be removed. Records with a value are not in this index.
  CREATE INDEX removable ON record (key) WHERE value IS NULL;

  ALTER TABLE node DROP COLUMN record_count;
  `)
}

/** The version of the schema that this program reads and writes. */
export const SCHEMA_VERSION = STEPS.length

/**
 * Brings the database to `SCHEMA_VERSION`, each step in a transaction of its own, or in several that may be
 * interrupted between any two. `onUpgrade` is called with the progress of a long step.
 *
 * @throws {FaultError} `schema_too_new`: a newer program has written the database.
 */
export function migrate(db: DatabaseSync, onUpgrade: OnUpgrade): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version > SCHEMA_VERSION) {
    throw new FaultError(
      'schema_too_new',
      `the database ${db.location()} has schema version ${version}, and this program knows up to ` +
        `${SCHEMA_VERSION}: run the version of cohort that wrote it, or a newer one`,
      undefined,
    )
  }
  for (const [index, step] of STEPS.entries()) {
    const next = index + 1
    if (next <= version) continue
    if (typeof step === 'object') step.run(db, next, onUpgrade)
    else {
      db.exec('BEGIN IMMEDIATE')
      if (typeof step === 'string') db.exec(step)
      else step(db)
      db.exec(`PRAGMA user_version = ${next}; COMMIT`)
    }
  }
}
