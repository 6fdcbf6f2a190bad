import type { SQLOutputValue } from 'node:sqlite'
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
