/** What is in the database of a node: read while the node runs, and changed while it does not. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

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

/** What a disk does to a row: a byte of its state, or a number of its head. */
const HEAD_COLUMNS = ['promised_round', 'accepted_round', 'write_sequence', 'digest', 'checksum'] as const

/**
 * Spoils some random records in the database of a node that has ended: a bit of the state, or a number of the
 * head. Returns how many.
 */
export function spoilRecords(dataDirectory: string, count: number): number {
  const db = new DatabaseSync(databasePath(dataDirectory))
  try {
    const rows = db
      .prepare('SELECT id, state FROM record WHERE accepted_round IS NOT NULL ORDER BY RANDOM() LIMIT ?')
      .all(count)
    const setState = db.prepare('UPDATE record SET state = ? WHERE id = ?')
    db.exec('BEGIN')
    for (const { id, state } of rows) {
      if (state instanceof Uint8Array && Math.random() < 0.5) {
        const at = Math.floor(Math.random() * state.length)
        state[at]! ^= 1 << Math.floor(Math.random() * 8)
        setState.run(state, Number(id))
      } else {
        const column = HEAD_COLUMNS[Math.floor(Math.random() * HEAD_COLUMNS.length)]!
        db.exec(`UPDATE record SET ${column} = ${column} + 1 WHERE id = ${Number(id)}`)
      }
    }
    db.exec('COMMIT')
    return rows.length
  } finally {
    db.close()
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
