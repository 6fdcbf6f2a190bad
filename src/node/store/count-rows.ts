import type { DatabaseSync } from 'node:sqlite'
import { integer, row } from './columns.ts'
import { DIGEST_END } from './digest-hash.ts'
import { type Inventory, NOTHING } from './inventory.ts'

/** Half of a digest. A sum of 2^30 halves is below 2^53, so that no sum overflows. */
const HALF = 2 ** 23

/**
 * A damaged row whose numbers cannot be right is not counted. Other damage is found when the row is
 * loaded.
 */
const COUNTED = `
  SELECT leaf, COUNT(*), SUM(value_bytes IS NULL AND accepted_round IS NOT NULL), SUM(is_stub),
    SUM(digest >> 23), SUM(digest & ${HALF - 1})
  FROM record
  WHERE leaf BETWEEN 0 AND 65535 AND digest BETWEEN 0 AND ${DIGEST_END - 1} AND is_stub IN (0, 1)
  GROUP BY leaf`

/** A row of the table `record` takes at least about so many bytes. */
const ROW_BYTES_MIN = 64

/** The rows of a database, counted by leaf: leaf, records, tombstones, stubs and digest, and so on. */
export type RowCounts = Float64Array<ArrayBuffer>

const NUMBERS_PER_LEAF = 5

/** Counts and sums up all rows of records. It takes 1.6 s of CPU for a million of them. */
export function countRows(db: DatabaseSync): RowCounts {
  const counts: number[] = []
  const statement = db.prepare(COUNTED, { returnArrays: true })
  for (const found of statement.iterate()) {
    const [leaf, records, tombstones, stubs, high, low] = row(found).map(integer)
    counts.push(leaf!, records!, tombstones!, stubs!, ((high! % HALF) * HALF + low!) % DIGEST_END)
  }
  return new Float64Array(counts)
}

/** Adds counted rows to an inventory. */
export function addCounts(inventory: Inventory, counts: RowCounts): void {
  for (let at = 0; at < counts.length; at += NUMBERS_PER_LEAF) {
    const [leaf, recordCount, tombstoneCount, stubCount, digest] = counts.subarray(at, at + NUMBERS_PER_LEAF)
    inventory.replace(leaf!, NOTHING, {
      recordCount: recordCount!,
      tombstoneCount: tombstoneCount!,
      stubCount: stubCount!,
      digest: digest!,
    })
  }
}

/** No more rows of records than this are in a database. It reads two pages. */
export function rowsAtMost(db: DatabaseSync): number {
  const lastId = integer(db.prepare('SELECT COALESCE(MAX(id), 0) AS id FROM record').get()?.id)
  const pages = integer(db.prepare('PRAGMA page_count').get()?.page_count)
  const pageBytes = integer(db.prepare('PRAGMA page_size').get()?.page_size)
  return Math.min(lastId, Math.ceil((pages * pageBytes) / ROW_BYTES_MIN))
}
