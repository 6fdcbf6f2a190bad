import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { aDatabasePath } from '../../testing/store-fixture.ts'
import { assertDurable, openDatabase } from './connection.ts'

test('a database is opened so that each commit is on the disk when it returns', (t) => {
  const path = aDatabasePath(t)
  for (const time of ['when it is new', 'when it is opened again']) {
    const db = openDatabase(path)
    const read = (name: string) => db.prepare(`PRAGMA ${name}`).get()?.[name]
    assert.deepEqual([read('synchronous'), read('journal_mode')], [2, 'wal'], time)
    assert.equal(read('auto_vacuum'), 2)
    // Pages of the log and of the memory, and the bytes of a log that is cut.
    assert.deepEqual(
      [read('wal_autocheckpoint'), read('cache_size'), read('journal_size_limit')],
      [4_000, -65_536, 67_108_864],
    )
    assert.equal(db.prepare('PRAGMA busy_timeout').get()?.timeout, 2_000, 'another program is waited for')
    db.exec('CREATE TABLE IF NOT EXISTS t (x)')
    db.close()
  }
})

test('a database without a write-ahead log, or that does not sync each commit, is refused', (t) => {
  const unusable = { code: 'data_directory_unusable', message: /cannot be made durable/ }
  const memory = new DatabaseSync(':memory:')
  assert.throws(() => assertDurable(memory), unusable)
  const db = openDatabase(aDatabasePath(t))
  t.after(() => db.close())
  for (const setting of ['synchronous = NORMAL', 'synchronous = OFF']) {
    db.exec(`PRAGMA ${setting}`)
    assert.throws(() => assertDurable(db), unusable, setting)
  }
})

test('the write-ahead log stays near 16 MB under writes, and what it held is in the database', (t) => {
  const path = aDatabasePath(t)
  const db = openDatabase(path)
  t.after(() => db.close())
  db.exec('CREATE TABLE t (x BLOB)')
  const insert = db.prepare('INSERT INTO t VALUES (zeroblob(1000000))')
  let longest = 0
  for (let i = 0; i < 60; i += 1) {
    insert.run()
    longest = Math.max(longest, statSync(`${path}-wal`).size)
  }
  assert.ok(longest < 20_000_000, `${longest} bytes`)
  assert.ok(statSync(path).size > 40_000_000)
})

test('the log that grew while another program read is cut to 64 MB when that program has ended', (t) => {
  const path = aDatabasePath(t)
  const db = openDatabase(path)
  t.after(() => db.close())
  db.exec('CREATE TABLE t (x BLOB); INSERT INTO t VALUES (1)')
  const reader = new DatabaseSync(path, { readOnly: true })
  reader.exec('BEGIN; SELECT * FROM t')
  const insert = db.prepare('INSERT INTO t VALUES (zeroblob(1000000))')
  for (let i = 0; i < 80; i += 1) insert.run()
  assert.ok(statSync(`${path}-wal`).size > 70_000_000)
  reader.exec('COMMIT')
  reader.close()
  for (let i = 0; i < 2; i += 1) insert.run()
  assert.ok(statSync(`${path}-wal`).size <= 67_108_864)
})
