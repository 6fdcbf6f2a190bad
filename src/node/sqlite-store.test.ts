import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD, onMark } from '../register/acceptor.ts'
import type { KeyRecord } from '../register/messages.ts'
import { LEAF_COUNT, type ScanEntry, type ScanRange } from '../rpc/messages.ts'
import { anyBallot, anyKey, anyMembership, anyRecord } from '../testing/message-arbitraries.ts'
import { DIGEST_END, digestOf, leafOf } from './digest.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import { asFault } from './sqlite-fault.ts'
import { SqliteStore } from './sqlite-store.ts'

function aPath(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-store-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return join(directory, 'node.db')
}

/** SQLite gives plain bytes, the arbitraries Buffers. */
function comparable(record: KeyRecord): KeyRecord {
  const { state } = record
  return { ...record, state: { ...state, value: state.value && new Uint8Array(state.value) } }
}

function aWrittenRecord(sequence: number, value: Uint8Array): KeyRecord {
  const writeId = { proposerId: 7, sequence }
  return {
    promised: { round: 2, proposerId: 0 },
    accepted: { round: 1, proposerId: 0 },
    state: { generation: 1, writeId, lineage: [writeId], value },
    chosen: false,
    isStub: false,
  }
}

/** As the first version of the program made it. */
const FIRST_SCHEMA = `
  CREATE TABLE node (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    node_id TEXT NOT NULL,
    record_count INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE membership (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    cluster_id TEXT NOT NULL,
    epoch INTEGER NOT NULL CHECK (epoch > 0),
    members TEXT NOT NULL -- JSON: [{"nodeId", "address"}]
  ) STRICT;

  CREATE TABLE record (
    key TEXT NOT NULL PRIMARY KEY, -- compared as UTF-8 bytes
    promised_round INTEGER NOT NULL,
    promised_proposer INTEGER NOT NULL,
    accepted_round INTEGER, -- NULL: nothing was accepted
    accepted_proposer INTEGER,
    generation INTEGER NOT NULL,
    lineage TEXT NOT NULL, -- write ids as proposer.sequence, newest last, separated by a space
    value BLOB, -- NULL: a tombstone, or absent (generation 0)
    chosen INTEGER NOT NULL CHECK (chosen IN (0, 1))
  ) STRICT;

  CREATE TRIGGER record_added AFTER INSERT ON record BEGIN
    UPDATE node SET record_count = record_count + 1;
  END;
  CREATE TRIGGER record_removed AFTER DELETE ON record BEGIN
    UPDATE node SET record_count = record_count - 1;
  END;
  PRAGMA user_version = 1;
`

function saveAll(store: SqliteStore, entries: Iterable<readonly [string, KeyRecord]>): void {
  store.transaction(() => {
    for (const [key, record] of entries) store.save(key, store.load(key), record)
  })
}

function scanAll(
  store: SqliteStore,
  limit: number,
  { omitValues = false, ...filter }: Partial<ScanRange> = {},
): ScanEntry[] {
  const all: ScanEntry[] = []
  for (let start = ''; ; ) {
    const { entries, nextStart } = store.scan({ start, end: '', omitValues, ...filter }, limit)
    assert.ok(entries.length <= limit)
    all.push(...entries)
    if (nextStart === undefined) return all
    start = nextStart
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
        assert.equal(opened.inventory.counts.recordCount, expected.size)
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

test('an insert keeps the first record of a key, and nothing else', (t) => {
  const store = new SqliteStore(aPath(t))
  t.after(() => store.close())
  let count = 0
  fc.assert(
    fc.property(anyRecord, anyRecord, (first, second) => {
      const key = `group/${count++}`
      assert.equal(
        store.transaction(() => store.insert(key, first)),
        true,
      )
      assert.equal(
        store.transaction(() => store.insert(key, second)),
        false,
      )
      assert.deepEqual(store.load(key), comparable(first))
      assert.equal(store.inventory.counts.recordCount, count)
    }),
  )
})

test('a mark changes the record as the acceptor would, whatever was accepted and whatever is meant', (t) => {
  const store = new SqliteStore(aPath(t))
  t.after(() => store.close())
  const anyMark = fc.record({
    isOfBallot: fc.boolean(),
    otherBallot: anyBallot,
    isOfState: fc.boolean(),
    otherSequence: fc.constantFrom(1, 2, 12, 22),
  })
  const anyMarked = fc.oneof(
    anyRecord,
    // Sequences whose texts end alike.
    fc.constantFrom(2, 12, 22, 122).map((sequence) => aWrittenRecord(sequence, Buffer.from('x'))),
  )
  let count = 0
  fc.assert(
    fc.property(anyMarked, anyMark, (record, { isOfBallot, otherBallot, isOfState, otherSequence }) => {
      const key = `group/${count++}`
      const ballot = isOfBallot && record.accepted !== undefined ? record.accepted : otherBallot
      const writeId = isOfState ? record.state.writeId : { proposerId: 7, sequence: otherSequence }
      const marked = onMark(record, { kind: 'mark', ballot, writeId }).record
      store.transaction(() => store.insert(key, record))
      assert.equal(
        store.transaction(() => store.mark(key, ballot, writeId)),
        marked !== record,
      )
      assert.deepEqual(store.load(key), comparable(marked))
    }),
    { numRuns: 300 },
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
      store.save('group/x', EMPTY_RECORD, aWrittenRecord(1, Buffer.from('x')))
      throw mistake
    })
  assert.throws(attempt, (error) => error === mistake)
  assert.equal(store.load('group/x'), EMPTY_RECORD)
  assert.equal(store.inventory.counts.recordCount, 0)
  store.close()
})

test('the inventory follows every save, and is the same when it is taken anew', (t) => {
  const anyChanges = fc.array(
    fc.tuple(
      fc.constantFrom('group/a', 'group/b', 'group/c'),
      fc.oneof(anyRecord, fc.constant(EMPTY_RECORD)),
    ),
    { maxLength: 30 },
  )
  fc.assert(
    fc.property(anyChanges, (changes) => {
      const path = aPath(t)
      const store = new SqliteStore(path)
      saveAll(store, changes)
      const held = [...new Map(changes)].filter(([, record]) => record !== EMPTY_RECORD)
      const records = held.map(([, record]) => record)
      const counts = {
        recordCount: records.length,
        tombstoneCount: records.filter(({ accepted, state }) => accepted && state.value === undefined).length,
        stubCount: records.filter(({ isStub }) => isStub).length,
      }
      const ofLeaf = (leaf: number) =>
        held
          .filter(([key]) => leafOf(key) === leaf)
          .reduce((sum, [key, record]) => (sum + digestOf(key, record)) % DIGEST_END, 0)
      const check = ({ inventory }: SqliteStore) => {
        assert.deepEqual(inventory.counts, counts)
        for (const leaf of ['group/a', 'group/b', 'group/c'].map(leafOf)) {
          assert.equal(inventory.digests.leavesOf(leaf >> 8)[leaf & 255], ofLeaf(leaf))
        }
      }
      check(store)
      store.close()
      const reopened = new SqliteStore(path)
      check(reopened)
      assert.deepEqual(reopened.inventory.digests, store.inventory.digests)
      reopened.close()
    }),
    { numRuns: 100 },
  )
})

test('a scan of some leaves finds their keys among many others, and one of what is removable only that', (t) => {
  const store = new SqliteStore(aPath(t))
  const keys = Array.from({ length: 10_000 }, (_, i) => `group/${String(i).padStart(5, '0')}`)
  const isDeleted = (key: string) => key.endsWith('77')
  saveAll(
    store,
    keys.map((key, i) => {
      const live = aWrittenRecord(i + 1, Buffer.from(key))
      return [key, isDeleted(key) ? { ...live, state: { ...live.state, value: undefined } } : live]
    }),
  )
  const leaves = new Set([keys[3]!, keys[9_999]!].map(leafOf))
  const keysOf = (filter: Partial<ScanRange>) => scanAll(store, 100, filter).map(({ key }) => key)
  assert.deepEqual(
    keysOf({ leaves }),
    keys.filter((key) => leaves.has(leafOf(key))),
  )
  assert.deepEqual(keysOf({ removableOnly: true }), keys.filter(isDeleted))
  store.close()
})

test('a page of a scan of some leaves takes no longer the more keys there are behind it', (t) => {
  const store = new SqliteStore(aPath(t))
  const key = (i: number) => `group/${String(i).padStart(5, '0')}`
  const add = (from: number, to: number) =>
    saveAll(
      store,
      Array.from({ length: to - from }, (_, i) => [key(from + i), aWrittenRecord(i + 1, Buffer.from('v'))]),
    )
  add(0, 2_000)
  const taken = new Set(Array.from({ length: 50_000 }, (_, i) => leafOf(key(i))))
  const unused = Array.from({ length: LEAF_COUNT }, (_, leaf) => leaf).find((leaf) => !taken.has(leaf))!
  const range = { start: '', end: '', omitValues: true, leaves: new Set([unused]) }
  const bestMs = () => {
    const timesMs = Array.from({ length: 20 }, () => {
      const startMs = performance.now()
      assert.deepEqual(store.scan(range, 100).entries, [])
      return performance.now() - startMs
    })
    return Math.min(...timesMs)
  }
  const fewMs = bestMs()
  add(2_000, 50_000)
  const manyMs = bestMs()
  assert.ok(manyMs < 6 * fewMs, `${manyMs} ms among 50,000 keys, ${fewMs} among 2,000`)
  store.close()
})

test('a database of the first schema is brought to this one, with nothing lost', (t) => {
  const path = aPath(t)
  const old = new DatabaseSync(path)
  old.exec(FIRST_SCHEMA)
  const insert = old.prepare('INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)')
  insert.run('group/live', 2, 0, 1, 0, 1, '7.1', Buffer.from('v'), 1)
  insert.run('group/dead', 3, 5, 2, 5, 2, '7.1 7.2', null, 0)
  insert.run('group/promised', 4, 5, null, null, 0, '', null, 0)
  old.close()
  const store = new SqliteStore(path)
  const live = { ...aWrittenRecord(1, new Uint8Array(Buffer.from('v'))), chosen: true }
  assert.deepEqual(store.load('group/live'), live)
  assert.deepEqual(store.inventory.counts, { recordCount: 3, tombstoneCount: 1, stubCount: 0 })
  const leaf = leafOf('group/live')
  assert.equal(store.inventory.digests.leavesOf(leaf >> 8)[leaf & 255], digestOf('group/live', live))
  const removable = scanAll(store, 10, { removableOnly: true })
  assert.deepEqual(
    removable.map(({ key, record }) => [key, record.accepted, record.state.lineage.length]),
    [
      ['group/dead', { round: 2, proposerId: 5 }, 2],
      ['group/promised', undefined, 0],
    ],
  )
  store.close()
})

test('a save outside of a transaction is a bug', (t) => {
  const store = new SqliteStore(aPath(t))
  assert.throws(() => store.save('group/x', EMPTY_RECORD, EMPTY_RECORD), { code: 'ERR_ASSERTION' })
  store.close()
})

test('the space of what was removed is given back in small steps, and the log with it when nobody waits', (t) => {
  const path = aPath(t)
  const store = new SqliteStore(path)
  t.after(() => store.close())
  const sizes = () => statSync(path).size + statSync(`${path}-wal`).size
  const emptySize = sizes()
  const record = aWrittenRecord(1, new Uint8Array(1_000))
  const saveAll = (before: KeyRecord, after: KeyRecord) => {
    for (let batch = 0; batch < 20; batch += 1) {
      store.transaction(() => {
        for (let i = 0; i < 1_000; i += 1) store.save(`group/${batch}-${i}`, before, after)
      })
    }
  }
  saveAll(EMPTY_RECORD, record)
  saveAll(record, EMPTY_RECORD)
  assert.ok(sizes() - emptySize > 20_000_000)
  let steps = 0
  while (store.reclaim(false)) steps += 1
  assert.ok(steps > 5, `${steps} steps`)
  assert.equal(store.reclaim(true), false)
  const left = sizes() - emptySize
  assert.ok(left < 5_000_000, `${left} bytes are left: 1,024 free pages are kept, and an index or two`)
  assert.equal(store.inventory.counts.recordCount, 0)
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
  assert.deepEqual(keys(store.scan(range, 10).entries), ['group/b', 'group/c'])
  assert.equal(store.scan(range, 10).entries[0]?.record.state.value, undefined)
  assert.deepEqual(keys(store.scan({ start: '', end: '', omitValues: false }, 10).entries), [
    'group/a',
    'group/b',
  ])
  assert.equal(scanAll(store, 10).length, 4)
  assert.equal(store.scan({ start: '', end: '', omitValues: true }, 10).entries.length, 4)
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
  const expected = {
    code: 'schema_too_new',
    message: new RegExp(
      `schema version ${SCHEMA_VERSION + 1}, and this program knows up to ${SCHEMA_VERSION}:`,
    ),
  }
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
  // The inventory that is taken at the start reads them all.
  assert.throws(() => new SqliteStore(path), { code: 'store_corrupt' })
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
