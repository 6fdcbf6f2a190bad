import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite'
import { crc32 } from 'node:zlib'

/**
 * A column holds what the program never writes there: the database is damaged, or another program has changed
 * it.
 */
export class DamagedColumnError extends Error {
  override name = 'DamagedColumnError'
}

/** The index of keys does not lead to the rows of its keys. It can be rebuilt from the rows. */
export class DamagedIndexError extends DamagedColumnError {
  override name = 'DamagedIndexError'
}

/**
 * A query for rows that may be damaged. An integer beyond 2^53, which this program never writes, is no number
 * of JavaScript, and `node:sqlite` throws when it meets one. Then the rows are read again, with such an
 * integer as a bigint. No check takes it for what was written.
 */
export class RowQuery {
  readonly #db: DatabaseSync
  readonly #sql: string
  readonly #numbers: StatementSync
  #bigints: StatementSync | undefined

  constructor(db: DatabaseSync, sql: string) {
    this.#db = db
    this.#sql = sql
    this.#numbers = db.prepare(sql, { returnArrays: true })
  }

  /** The first row. */
  get(...parameters: SQLInputValue[]): readonly SQLOutputValue[] | undefined {
    try {
      const found = this.#numbers.get(...parameters)
      return found === undefined ? undefined : row(found)
    } catch (error) {
      if (!isOutOfRange(error)) throw error
      return withNumbers(row(this.#withBigints().get(...parameters)))
    }
  }

  /** All rows at once. */
  all(...parameters: SQLInputValue[]): (readonly SQLOutputValue[])[] {
    try {
      return this.#numbers.all(...parameters) as unknown as SQLOutputValue[][]
    } catch (error) {
      if (!isOutOfRange(error)) throw error
      return this.#withBigints()
        .all(...parameters)
        .map((found) => withNumbers(row(found)))
    }
  }

  /** All rows, one after the other. */
  *iterate(...parameters: SQLInputValue[]): Generator<readonly SQLOutputValue[]> {
    let done = 0
    try {
      for (const found of this.#numbers.iterate(...parameters)) {
        done += 1
        yield row(found)
      }
      return
    } catch (error) {
      if (!isOutOfRange(error)) throw error
    }
    for (const found of this.#withBigints().iterate(...parameters)) {
      done -= 1
      if (done < 0) yield withNumbers(row(found))
    }
  }

  #withBigints(): StatementSync {
    this.#bigints ??= this.#db.prepare(this.#sql, { returnArrays: true, readBigInts: true })
    return this.#bigints
  }
}

/** Whether `node:sqlite` has met an integer that is no number of JavaScript. */
export function isOutOfRange(error: unknown): boolean {
  return error instanceof RangeError && 'code' in error && error.code === 'ERR_OUT_OF_RANGE'
}

function withNumbers(columns: readonly SQLOutputValue[]): SQLOutputValue[] {
  return columns.map((value) => {
    const isNumber = typeof value === 'bigint' && Number.isSafeInteger(Number(value))
    return isNumber ? Number(value) : value
  })
}

/** A row of a statement with `returnArrays`, which the types of `node:sqlite` do not know. */
export function row(value: unknown): readonly SQLOutputValue[] {
  if (!Array.isArray(value)) throw new DamagedColumnError('a row is missing')
  return value
}

/** The text in a column. */
export function text(value: SQLOutputValue | undefined): string {
  if (typeof value !== 'string') throw new DamagedColumnError('a column has no text')
  return value
}

/** The integer in a column. */
export function integer(value: SQLOutputValue | undefined): number {
  if (typeof value !== 'number') throw new DamagedColumnError('a column has no integer')
  return value
}

/** The CRC-32 of some columns, as a signed integer, which SQLite stores in four bytes. */
export function checksumOf(...columns: readonly unknown[]): number {
  return crc32(JSON.stringify(columns)) | 0
}
