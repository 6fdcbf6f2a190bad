/** What is in the database of a node, read from its disk while the node runs. */
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

function readOnly<T>(dataDirectory: string, query: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(databasePath(dataDirectory), { readOnly: true })
  try {
    return query(db)
  } finally {
    db.close()
  }
}
