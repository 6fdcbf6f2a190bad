import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import type { Mark } from '../../register/messages.ts'
import { RowQuery } from './columns.ts'
import { CHOSEN_VALUE, ROW_COLUMNS } from './record-rows.ts'

const COLUMNS = ROW_COLUMNS.join(', ')
const SET_ALL = ROW_COLUMNS.map((name) => `${name} = ?`).join(', ')

/** The row of a key that is in the index. */
const OF_KEY = 'id = (SELECT id FROM key_index WHERE key = ?)'

/** `onMark` in SQL. `chosen` is outside of the head's checksum. */
const MARK = `
  UPDATE record SET chosen = ${CHOSEN_VALUE}
  WHERE ${OF_KEY} AND accepted_round = ? AND accepted_proposer = ? AND write_proposer = ? AND write_sequence = ?
    AND chosen IS NOT ${CHOSEN_VALUE}`

/** The table `record`: a row for each record, in the order in which they were made. */
export class RecordTable {
  readonly #insert: StatementSync
  readonly #put: StatementSync
  readonly #load: RowQuery
  readonly #loadById: RowQuery
  readonly #replace: StatementSync
  readonly #replaceById: StatementSync
  readonly #remove: StatementSync
  readonly #removeById: StatementSync
  readonly #mark: StatementSync
  readonly #addRemovable: StatementSync
  readonly #dropRemovable: StatementSync

  constructor(db: DatabaseSync) {
    const into = `INTO record (id, key, ${COLUMNS}) VALUES (?, ?${', ?'.repeat(ROW_COLUMNS.length)})`
    this.#insert = db.prepare(`INSERT ${into}`)
    this.#put = db.prepare(`INSERT OR REPLACE ${into}`)
    this.#load = new RowQuery(
      db,
      `SELECT ${COLUMNS}, marked FROM key_index LEFT JOIN record USING (id) WHERE key_index.key = ?`,
    )
    this.#loadById = new RowQuery(db, `SELECT ${COLUMNS} FROM record WHERE id = ?`)
    this.#replace = db.prepare(`UPDATE record SET ${SET_ALL} WHERE ${OF_KEY}`)
    this.#replaceById = db.prepare(`UPDATE record SET ${SET_ALL} WHERE id = ?`)
    this.#remove = db.prepare(`DELETE FROM record WHERE ${OF_KEY}`)
    this.#removeById = db.prepare('DELETE FROM record WHERE id = ?')
    this.#mark = db.prepare(MARK)
    this.#addRemovable = db.prepare('INSERT OR IGNORE INTO removable_key VALUES (?)')
    this.#dropRemovable = db.prepare('DELETE FROM removable_key WHERE key = ?')
  }

  /** Adds a row; `values` are those of `rowOf`. */
  insert(id: number, values: readonly SQLInputValue[]): void {
    this.#insert.run(id, ...values)
  }

  /**
   * The columns of the row of a key, and the mark of the key in the index; `undefined`: the key is not in the
   * index. All columns are NULL when the index leads to no row.
   */
  load(key: string): readonly SQLOutputValue[] | undefined {
    return this.#load.get(key)
  }

  /** The columns of a row; `undefined`: there is no such row. */
  loadById(id: number): readonly SQLOutputValue[] | undefined {
    return this.#loadById.get(id)
  }

  /**
   * Replaces a record; `values` are those of `rowOf`. `id`: its row, if the key is not
   * in the index.
   */
  replace(key: string, id: number | undefined, values: readonly SQLInputValue[]): void {
    if (id === undefined) this.#replace.run(...values.slice(1), key)
    else this.#replaceById.run(...values.slice(1), id)
  }

  /** Writes a row with this id, and replaces an existing one; `values` are those of `rowOf`. */
  put(id: number, values: readonly SQLInputValue[]): void {
    this.#put.run(id, ...values)
  }

  /** Deletes the row of a key. `id`: its row, if the key is not in the index. */
  remove(key: string, id: number | undefined): void {
    if (id === undefined) this.#remove.run(key)
    else this.#removeById.run(id)
  }

  /** Stores whether the record of a key has no value. */
  setRemovable(key: string, isRemovable: boolean): void {
    if (isRemovable) this.#addRemovable.run(key)
    else this.#dropRemovable.run(key)
  }

  /** Marks the record of a key that is in the index, as `onMark` does. `true`: the row was changed. */
  mark(key: string, { ballot, writeId }: Mark): boolean {
    const { round, proposerId } = ballot
    return this.#mark.run(key, round, proposerId, writeId.proposerId, writeId.sequence).changes === 1
  }
}
