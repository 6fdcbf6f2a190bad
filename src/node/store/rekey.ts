import type { DatabaseSync } from 'node:sqlite'
import { integer, RowQuery, text } from './columns.ts'
import { digestOfHash, leafOfHash } from './digest-hash.ts'
import { type HashSecret, hashKey } from './key-hash.ts'
import { HEAD_COLUMNS, isWholeHead, movedHead } from './record-rows.ts'

/** Rows that are read at once. */
const ROWS_AT_ONCE = 1_000

/**
 * Computes the leaf and the digest of all rows again, with a secret that the node has just learned. A node
 * learns it with the first membership that it adopts, and has only a few rows then, or none. A row with a
 * damaged head stays unchanged until it heals, because its right content is not known.
 */
export function rekey(db: DatabaseSync, secret: HashSecret): void {
  const select = new RowQuery(
    db,
    `SELECT ${HEAD_COLUMNS.join(', ')}, id, key FROM record WHERE id > ? ORDER BY id LIMIT ${ROWS_AT_ONCE}`,
  )
  const update = db.prepare('UPDATE record SET leaf = ?, digest = ?, head_checksum = ? WHERE id = ?')
  for (let lastId = 0; ; ) {
    const rows = select.all(lastId)
    for (const columns of rows) {
      lastId = integer(columns[HEAD_COLUMNS.length])
      const key = text(columns[HEAD_COLUMNS.length + 1])
      if (!isWholeHead(key, columns)) continue
      const hash = hashKey(key, secret)
      const moved = movedHead(key, columns, (record) => {
        return { leaf: leafOfHash(hash), digest: digestOfHash(hash, record) }
      })
      update.run(...moved, lastId)
    }
    if (rows.length < ROWS_AT_ONCE) return
  }
}
