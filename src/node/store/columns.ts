import assert from 'node:assert/strict'
import type { SQLOutputValue } from 'node:sqlite'

/** A row of a statement with `returnArrays`, which the types of `node:sqlite` do not know. */
export function row(value: unknown): readonly SQLOutputValue[] {
  assert.ok(Array.isArray(value))
  return value
}

// The tables are STRICT: a value of another type means that somebody has changed the schema.

/** The text in a column. */
export function text(value: SQLOutputValue | undefined): string {
  assert.ok(typeof value === 'string')
  return value
}

/** The integer in a column. */
export function integer(value: SQLOutputValue | undefined): number {
  assert.ok(typeof value === 'number')
  return value
}
