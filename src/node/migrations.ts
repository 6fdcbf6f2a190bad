import type { DatabaseSync } from 'node:sqlite'
import { FaultError } from '../fault.ts'

/**
 * Every form the database has had, as steps from one to the next; step i makes version i + 1. A released step is
 * never changed: append another.
 */
const STEPS = [
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

  -- What the acceptor keeps for each key. A row id of its own, and not WITHOUT ROWID: rows are large, keys come in
  -- random order, and inserts then append instead of splitting pages.
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
]

/** The version that this program reads and writes. */
export const SCHEMA_VERSION = STEPS.length

/**
 * Brings the database to `SCHEMA_VERSION`, each step in a transaction of its own.
 *
 * @throws {FaultError} `schema_too_new`: a newer program has written it.
 */
export function migrate(db: DatabaseSync): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.user_version)
  if (version > SCHEMA_VERSION) {
    throw new FaultError(
      'schema_too_new',
      `the database ${db.location()} has schema version ${version}, and this program knows up to ` +
        `${SCHEMA_VERSION}: run the version of cohort that wrote it, or a newer one`,
      undefined,
    )
  }
  STEPS.slice(version).forEach((step, index) => {
    db.exec(`BEGIN IMMEDIATE; ${step}; PRAGMA user_version = ${version + index + 1}; COMMIT`)
  })
}
