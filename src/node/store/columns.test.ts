import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { RowQuery } from './columns.ts'

/** A table whose second row has an integer that is no number of JavaScript. */
function aTable(): DatabaseSync {
  const db = new DatabaseSync(':memory:')
  db.exec(`
    CREATE TABLE some (id INTEGER PRIMARY KEY, number INTEGER, text TEXT);
    INSERT INTO some VALUES (1, 7, 'a'), (2, -9221475425363519486, 'b'), (3, 9, 'c');
  `)
  return db
}

const ALL = [
  [1, 7, 'a'],
  [2, -9221475425363519486n, 'b'],
  [3, 9, 'c'],
]

test('an integer beyond 2^53 is read as a bigint, and every other column as it is', () => {
  const query = new RowQuery(aTable(), 'SELECT * FROM some WHERE id = ?')
  for (const row of ALL) assert.deepEqual(query.get(Number(row[0])), row)
  assert.equal(query.get(4), undefined)
})

test('every row comes once, also after one that cannot be read as numbers', () => {
  const query = new RowQuery(aTable(), 'SELECT * FROM some ORDER BY id')
  assert.deepEqual([...query.iterate()], ALL)
  assert.deepEqual([...query.iterate()], ALL)
  assert.deepEqual(query.all(), ALL)
})

test('an error of whoever takes the rows is passed on, and the query can be used again', () => {
  const query = new RowQuery(aTable(), 'SELECT * FROM some ORDER BY id')
  assert.throws(() => {
    for (const row of query.iterate()) throw new RangeError(`row ${row[0]}`)
  }, /row 1/)
  assert.equal([...query.iterate()].length, 3)
})
