/** A table with a row for each register: what all such tables have in common. */
import type { Session, Statement } from './session.ts'

/** How many write ids a row remembers. If it has moved on by more, it does not say what became of a write. */
export const WRITE_IDS_KEPT = 8

/** The values of the columns that make the key of a row. */
export type RowKey = readonly string[]

/**
 * The statements on a table. Each that writes is a transaction of its own, and does nothing after its
 * deadline (by the clock of the server): a statement that was held up for long on its way to the server must
 * not write where a tombstone was removed meanwhile.
 */
export type RowTable = Readonly<{
  /** $1…: the key. */
  read: Statement
  /**
   * $1…: the keys, an array for each column; then the values, the write ids; the deadline. Rows that are
   * there already stay. Returns the write ids of the rows that were made.
   */
  insert: Statement
  /** As `insert`, with the generations that the rows have between the write ids and the deadline. */
  update: Statement
  /** Leaves a tombstone where no row is. $1…: the key, the write id, the deadline. */
  fenceAbsent: Statement
  /**
   * Moves the generation on, and changes nothing else. $1…: the key, the write id, the generation, the
   * deadline.
   */
  fenceRow: Statement
}>

/** A row. Without one the generation is 0. Without a value it is a tombstone. */
export type Row = Readonly<{
  value: Uint8Array | undefined
  generation: number
  writeIds: readonly string[]
}>

export const ABSENT: Row = { value: undefined, generation: 0, writeIds: [] }

/** What the columns of a row hold. All are null where a join has found none. */
export type StoredRow = Readonly<{
  value: Uint8Array | null
  generation: string | null
  write_ids: string[] | null
}>

export function rowOf(stored: StoredRow | undefined): Row {
  if (stored?.generation === undefined || stored.generation === null) return ABSENT
  const { value, generation, write_ids } = stored
  return { value: value ?? undefined, generation: Number(generation), writeIds: write_ids ?? [] }
}

export async function readRow(session: Session, table: RowTable, key: RowKey, limitMs: number): Promise<Row> {
  const { rows } = await session.run(table.read, key, limitMs)
  return rowOf(rows[0] as unknown as StoredRow | undefined)
}
