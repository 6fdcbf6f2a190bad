import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { aDatabasePath, aWrittenRecord, scanAll } from '../../testing/store-fixture.ts'
import { digestOf, leafOf } from './digest.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { SqliteStore } from './sqlite-store.ts'

/** As the first version of the program made it. */
const FIRST_SCHEMA = `
  CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node_id TEXT NOT NULL,
    record_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE membership (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cluster_id TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    members TEXT NOT NULL -- JSON: [{"nodeId", "address"}]
  ) STRICT;

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

  CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
    UPDATE node SET record_count = record_count + 1;
  END;
  CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
    UPDATE node SET record_count = record_count - 1;
  END;
  PRAGMA user_version = 1;
`

test('a database of the first schema is brought to this one, with nothing lost', (t) => {
  const path = aDatabasePath(t)
  const old = new DatabaseSync(path)
  old.exec(FIRST_SCHEMA)
  const insert = old.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  insert.run('group/live', 2, 0, 1, 0, 1, '7.1', Buffer.from('v'), 1)
  insert.run('group/dead', 3, 5, 2, 5, 2, '7.1 7.2', null, 0)
  insert.run('group/promised', 4, 5, null, null, 0, '', null, 0)
  old.close()
  const store = new SqliteStore(path)
  const live = { ...aWrittenRecord(1, new Uint8Array(Buffer.from('v'))), chosen: true }
  assert.deepEqual(store.load('group/live'), live)
  assert.deepEqual(store.inventory.counts, { recordCount: 3, tombstoneCount: 1, stubCount: 0 })
  const leaf = leafOf('group/live')
  assert.equal(store.inventory.digests.leavesOf(leaf >> 8)[leaf & 255], digestOf('group/live', live))
  const removable = scanAll(store, 10, { removableOnly: true })
  assert.deepEqual(
    removable.map(({ key, record }) => [key, record.accepted, record.state.lineage.length]),
    [
      ['group/dead', { round: 2, proposerId: 5 }, 2],
      ['group/promised', undefined, 0],
    ],
  )
  store.close()
})

test('a database of a newer program is refused, and left as it is', (t) => {
  const path = aDatabasePath(t)
  new SqliteStore(path).close()
  const newer = new DatabaseSync(path)
  newer.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
  newer.close()
  const expected = {
    code: 'schema_too_new',
    message: new RegExp(
      `schema version ${SCHEMA_VERSION + 1}, and this program knows up to ${SCHEMA_VERSION}:`,
    ),
  }
  assert.throws(() => new SqliteStore(path), expected)
  assert.throws(() => new SqliteStore(path), expected)
})
