import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { asFault } from './sqlite-fault.ts'

test('a full disk is explained as one', () => {
  const db = new DatabaseSync(':memory:')
  db.exec('CREATE TABLE t (x BLOB); PRAGMA max_page_count = 2')
  try {
    db.exec('INSERT INTO t VALUES (zeroblob(100000))')
    assert.fail('it fitted')
  } catch (error) {
    const fault = asFault(error, '/data/node.db')
    assert.equal(fault.code, 'store_full')
    assert.match(fault.message, /no space left to write \/data\/node.db .* start the node again/)
    assert.equal(fault.cause, error)
  }
})
