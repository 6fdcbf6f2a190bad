/** What is in the database of a node: read while the node runs, and changed while it does not. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { RowQuery } from '../../src/node/store/columns.ts'
import { ROW_COLUMNS, recordOf } from '../../src/node/store/record-rows.ts'

/** Where a node keeps its database. */
export function databasePath(dataDirectory: string): string {
  return join(dataDirectory, 'node.db')
}

/** How many records of groups there are: live ones, tombstones and stubs. */
export function groupRowCount(dataDirectory: string): number {
  const row = readOnly(dataDirectory, (db) =>
    db.prepare("SELECT COUNT(*) AS count FROM record WHERE key LIKE 'group/%'").get(),
  )
  return Number(row?.count)
}

/** All columns of the record of a key; empty when there is none. */
export function rowOf(dataDirectory: string, key: string): object {
  return { ...readOnly(dataDirectory, (db) => db.prepare('SELECT * FROM record WHERE key = ?').get(key)) }
}

/**
 * Flips a bit of the value of a group in the database of a node that has ended, in each place where the file
 * has the value: some of them may be free space.
 */
export function spoilValue(dataDirectory: string, groupId: string): void {
  const path = databasePath(dataDirectory)
  const bytes = readFileSync(path)
  const text = JSON.stringify(groupId)
  let at = bytes.indexOf(text)
  assert.ok(at >= 0, `the database has the value of ${groupId}`)
  for (; at >= 0; at = bytes.indexOf(text, at)) bytes[at + 1]! ^= 1
  writeFileSync(path, bytes)
}

/** Changes a column of the record of a group in the database of a node that has ended. */
export function spoilColumn(dataDirectory: string, groupId: string, assignment: string): void {
  const db = new DatabaseSync(databasePath(dataDirectory))
  try {
    const { changes } = db.prepare(`UPDATE record SET ${assignment} WHERE key = ?`).run(`group/${groupId}`)
    assert.equal(changes, 1)
  } finally {
    db.close()
  }
}

/**
 * Flips `count` bits in the rows of records in the database of a node that has ended: each in a row drawn at
 * random, from the end of its key to the end of its state.
 *
 * @returns how many records are not what was written
 */
export function flipBits(dataDirectory: string, count: number): number {
  const path = databasePath(dataDirectory)
  takeLogIn(path)
  const rows = readOnly(dataDirectory, (db) =>
    db.prepare("SELECT key, state FROM record WHERE key LIKE 'group/%' AND state IS NOT NULL").all(),
  ) as { key: string; state: Uint8Array }[]
  if (rows.length === 0) return 0
  const bytes = readFileSync(path)
  const below = (end: number) => Math.floor(Math.random() * end)
  const drawn = Array.from({ length: count }, () => rows[below(rows.length)]!)
  // All places are found before the first bit is flipped.
  const places = drawn.map(({ key, state }) => {
    const stateAt = bytes.indexOf(state)
    const keyAt = bytes.lastIndexOf(key, stateAt)
    assert.ok(keyAt >= 0 && keyAt < stateAt, `the database has the row of ${key}: ${keyAt}, ${stateAt}`)
    const start = keyAt + Buffer.byteLength(key)
    return start + below(stateAt + state.length - start)
  })
  for (const place of places) bytes[place]! ^= 1 << below(8)
  writeFileSync(path, bytes)
  return damagedCount(dataDirectory)
}

/** Moves what SQLite's log still holds into the file. A node that ends does so too, unless it is hindered. */
function takeLogIn(path: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } finally {
    db.close()
  }
}

/** How many records in the database of a node that has ended are not what was written. */
export function damagedCount(dataDirectory: string): number {
  return readOnly(dataDirectory, (db) => {
    const rows = new RowQuery(db, `SELECT key, ${ROW_COLUMNS.join(', ')} FROM record`)
    return [...rows.iterate()].filter(([key, ...columns]) => isDamaged(String(key), columns)).length
  })
}

function isDamaged(key: string, columns: readonly SQLOutputValue[]): boolean {
  try {
    recordOf(key, columns, undefined)
    return false
  } catch {
    return true
  }
}

function readOnly<T>(dataDirectory: string, query: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(databasePath(dataDirectory), { readOnly: true })
  try {
    return query(db)
  } finally {
    db.close()
  }
}
