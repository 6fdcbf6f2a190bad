import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { Record } from '../register/messages.ts'
import { anyKey, anyMembership, anyRecord } from '../rpc/message-arbitraries.ts'
import type { ScanEntry } from '../rpc/messages.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { asFault } from './sqlite-fault.ts'
import { SqliteStore } from './sqlite-store.ts'

function aPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-store-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'node.db')
}

/** SQLite gives plain bytes, the arbitraries Buffers. */
function comparable(record: Record): Record {
  const { state } = record
  return { ...record, state: { ...state, value: state.value && new Uint8Array(state.value) } }
}

function aWrittenRecord(sequence: number, value: Uint8Array): Record {
  const writeId = { proposerId: 7, sequence }
  return {
    promised: { round: 2, proposerId: 0 },
    accepted: { round: 1, proposerId: 0 },
    state: { generation: 1, writeId, lineage: [writeId], value },
    chosen: false,
  }
}

function saveAll(store: SqliteStore, entries: Iterable<readonly [string, Record]>): void {
  store.transaction(() => {
    for (const [key, record] of entries) store.save(key, record)
  })
}

function scanAll(store: SqliteStore, limit: number, omitValues = false): ScanEntry[] {
  const all: ScanEntry[] = []
  for (let start = ''; ; ) {
    const page = store.scan({ start, end: '', omitValues }, limit)
    const last = page.at(-1)
    if (last === undefined) return all
    assert.ok(page.length <= limit)
    all.push(...page)
    start = `${last.key}\0`
  }
}

test('what was saved is loaded, counted and scanned in byte order, also after reopening', (t) => {
  const anySaves = fc.array(fc.tuple(anyKey, anyRecord), { maxLength: 20 })
  fc.assert(
    fc.property(anySaves, fc.integer({ min: 1, max: 5 }), (saves, limit) => {
      const path = aPath(t)
      const store = new SqliteStore(path)
      saveAll(store, saves)
      const expected = new Map(saves)
      const check = (opened: SqliteStore) => {
        for (const [key, record] of expected) assert.deepEqual(opened.load(key), comparable(record))
        assert.equal(opened.recordCount, expected.size)
        const inOrder = [...expected.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        assert.deepEqual(
          scanAll(opened, limit).map(({ key }) => key),
          inOrder,
        )
      }
      check(store)
      const { nodeId } = store
      store.close()
      const reopened = new SqliteStore(path)
      check(reopened)
      assert.equal(reopened.nodeId, nodeId)
      reopened.close()
    }),
    { numRuns: 30 },
  )
})

test('a key without a record loads as the empty record', (t) => {
  const store = new SqliteStore(aPath(t))
  assert.equal(store.load('group/x'), EMPTY_RECORD)
  store.close()
})

test('a transaction that throws leaves nothing behind', (t) => {
  const store = new SqliteStore(aPath(t))
  const mistake = new Error('a mistake')
  const attempt = () =>
    store.transaction(() => {
      store.save('group/x', aWrittenRecord(1, Buffer.from('x')))
      throw mistake
    })
  assert.throws(attempt, (error) => error === mistake)
  assert.equal(store.load('group/x'), EMPTY_RECORD)
  assert.equal(store.recordCount, 0)
  store.close()
})

test('a save outside of a transaction is a bug', (t) => {
  const store = new SqliteStore(aPath(t))
  assert.throws(() => store.save('group/x', EMPTY_RECORD), { code: 'ERR_ASSERTION' })
  store.close()
})

test('the membership is kept', (t) => {
  fc.assert(
    fc.property(anyMembership, (membership) => {
      const path = aPath(t)
      const store = new SqliteStore(path)
      assert.equal(store.membership, undefined)
      store.transaction(() => store.saveMembership(membership))
      store.close()
      const reopened = new SqliteStore(path)
      assert.deepEqual(reopened.membership, membership)
      reopened.close()
    }),
    { numRuns: 10 },
  )
})

test('a scan ends before its end key, leaves values out on request, and cuts pages of large values', (t) => {
  const store = new SqliteStore(aPath(t))
  const large = Buffer.alloc(600 * 1024)
  saveAll(
    store,
    ['a', 'b', 'c', 'd'].map((name, i) => [`group/${name}`, aWrittenRecord(i + 1, large)]),
  )
  const keys = (entries: readonly ScanEntry[]) => entries.map(({ key }) => key)
  const range = { start: 'group/b', end: 'group/d', omitValues: true }
  assert.deepEqual(keys(store.scan(range, 10)), ['group/b', 'group/c'])
  assert.equal(store.scan(range, 10)[0]?.record.state.value, undefined)
  assert.deepEqual(keys(store.scan({ start: '', end: '', omitValues: false }, 10)), ['group/a', 'group/b'])
  assert.equal(scanAll(store, 10).length, 4)
  assert.equal(store.scan({ start: '', end: '', omitValues: true }, 10).length, 4)
  store.close()
})

test('the database is one that other SQLite programs read while the node runs', (t) => {
  const path = aPath(t)
  const store = new SqliteStore(path)
  saveAll(store, [['group/x', aWrittenRecord(1, Buffer.from('{"a":1}'))]])
  const other = new DatabaseSync(path, { readOnly: true })
  const found = other.prepare('SELECT key, lineage, CAST(value AS TEXT) AS value FROM record').get()
  assert.deepEqual({ ...found }, { key: 'group/x', lineage: '7.1', value: '{"a":1}' })
  assert.equal(other.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum, 2)
  assert.equal(other.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal')
  other.close()
  store.close()
})

test('a database of a newer program is refused, and left as it is', (t) => {
  const path = aPath(t)
  new SqliteStore(path).close()
  const newer = new DatabaseSync(path)
  newer.exec(`PRAGMA user_version = ${SCHEMA_VERSION + 1}`)
  newer.close()
  const expected = { code: 'schema_too_new', message: /schema version 2, and this program knows up to 1/ }
  assert.throws(() => new SqliteStore(path), expected)
  assert.throws(() => new SqliteStore(path), expected)
})

test('a file that is no database is refused with what to do', (t) => {
  const path = aPath(t)
  writeFileSync(path, 'not a database at all, but long enough to be looked at'.repeat(100))
  assert.throws(() => new SqliteStore(path), {
    code: 'store_corrupt',
    message: /is damaged .* empty data directory/,
  })
})

test('a database with overwritten pages fails as damaged, and never with a record of its own making', (t) => {
  const path = aPath(t)
  const store = new SqliteStore(path)
  saveAll(
    store,
    Array.from({ length: 500 }, (_, i) => [`group/${i}`, aWrittenRecord(i + 1, Buffer.alloc(200))] as const),
  )
  store.close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xa5, 5 * 4096))
  const damaged = new SqliteStore(path)
  assert.throws(() => scanAll(damaged, 100), { code: 'store_corrupt' })
  assert.throws(() => damaged.load('group/77'), { code: 'store_corrupt' })
  damaged.close()
})

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
