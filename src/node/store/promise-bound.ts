import type { DatabaseSync } from 'node:sqlite'
import { PLAUSIBLE_ROUND_MAX } from '../../register/ballot.ts'
import { checksumOf, DamagedColumnError, integer } from './columns.ts'

/** Adds the promise bound to a database: what its records have promised. */
export function addPromiseBound(db: DatabaseSync): void {
  db.exec(`
  -- One row: no promise of any record, also of those that were removed, has a higher round number.
  CREATE TABLE promise_bound (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    round INTEGER NOT NULL,
    checksum INTEGER NOT NULL -- CRC-32 of round
  ) STRICT;
  `)
  const found = db
    .prepare(`SELECT MAX(promised_round) AS round FROM record WHERE promised_round <= ${PLAUSIBLE_ROUND_MAX}`)
    .get()
  writePromiseBound(db, found?.round === null ? 0 : integer(found?.round))
}

export function readPromiseBound(db: DatabaseSync): number {
  const found = db.prepare('SELECT round, checksum FROM promise_bound').get()
  const round = integer(found?.round)
  if (found?.checksum !== checksumOf(round)) throw new DamagedColumnError('the promise bound is damaged')
  return round
}

export function writePromiseBound(db: DatabaseSync, round: number): void {
  db.prepare('INSERT OR REPLACE INTO promise_bound (id, round, checksum) VALUES (1, ?, ?)').run(
    round,
    checksumOf(round),
  )
}
