import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD, onMark } from '../../register/acceptor.ts'
import { anyBallot, anyKey, anyMembership, anyRecord } from '../../testing/message-arbitraries.ts'
import { aDatabasePath, asLoaded, aWrittenRecord, saveAll, scanAll } from '../../testing/store-fixture.ts'
import { DIGEST_END, digestOf, leafOf } from './digest-hash.ts'
import { SqliteStore } from './sqlite-store.ts'

test('what was saved is loaded, counted and scanned in byte order, also after reopening', (t) => {
  const anySaves = fc.array(fc.tuple(anyKey, anyRecord), { maxLength: 20 })
  fc.assert(
    fc.property(anySaves, fc.integer({ min: 1, max: 5 }), (saves, limit) => {
      const path = aDatabasePath(t)
      const store = new SqliteStore(path)
      saveAll(store, saves)
      const expected = new Map(saves)
      const check = (opened: SqliteStore) => {
        for (const [key, record] of expected) assert.deepEqual(opened.load(key), asLoaded(record))
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
  const store = new SqliteStore(aDatabasePath(t))
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
      assert.deepEqual(store.load(key), asLoaded(first))
      assert.equal(store.inventory.counts.recordCount, count)
    }),
  )
})

test('a mark changes the record as the acceptor would, whatever was accepted and whatever is meant', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
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
      store.mark(key, { kind: 'mark', ballot, writeId })
      assert.deepEqual(store.load(key), asLoaded(marked))
      // From the tail into the table, where it gets the same mark again.
      for (let pass = 0; pass < 2; pass += 1) {
        while (store.flush(true));
        assert.deepEqual(store.load(key), asLoaded(marked))
        store.mark(key, { kind: 'mark', ballot, writeId })
      }
    }),
    { numRuns: 300 },
  )
})

test('a key without a record loads as the empty record', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
  assert.equal(store.load('group/x'), EMPTY_RECORD)
  store.close()
})

test('a transaction that throws leaves nothing behind', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
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

test('a view loads and marks while another program holds the lock of a writer, and refuses to save', (t) => {
  const path = aDatabasePath(t)
  const store = new SqliteStore(path)
  t.after(() => store.close())
  const record = aWrittenRecord(1, Buffer.from('x'))
  store.transaction(() => store.insert('group/x', record))
  const writer = new DatabaseSync(path)
  t.after(() => writer.close())
  writer.exec('BEGIN IMMEDIATE')
  const { accepted: ballot, state } = record
  const loaded = store.view(() => {
    store.mark('group/x', { kind: 'mark', ballot: ballot!, writeId: state.writeId })
    return store.load('group/x')
  })
  assert.deepEqual(loaded, asLoaded({ ...record, chosen: true }))
  writer.exec('ROLLBACK')
  for (const change of [
    () => store.save('group/x', record, EMPTY_RECORD),
    () => void store.insert('group/y', record),
    () => store.heal('group/x', record),
    () => store.saveMembership({ clusterId: 'c', epoch: 1, members: [], tombstoneGraceMs: 1 }),
  ]) {
    assert.throws(() => store.view(change), /belongs to a transaction/)
  }
  assert.deepEqual(
    store.load('group/x'),
    asLoaded(record),
    'the mark that was not written got lost with the view',
  )
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
      const path = aDatabasePath(t)
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

test('a save outside of a transaction is a bug', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
  assert.throws(() => store.save('group/x', EMPTY_RECORD, EMPTY_RECORD), { code: 'ERR_ASSERTION' })
  store.close()
})

test('the membership is kept', (t) => {
  fc.assert(
    fc.property(anyMembership, (membership) => {
      const path = aDatabasePath(t)
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

test('the database is one that other SQLite programs read while the node runs', (t) => {
  const path = aDatabasePath(t)
  const store = new SqliteStore(path)
  saveAll(store, [['group/x', aWrittenRecord(1, Buffer.from('{"a":1}'))]])
  const other = new DatabaseSync(path, { readOnly: true })
  const groups = () =>
    other
      .prepare('SELECT * FROM groups')
      .all()
      .map((found) => ({ ...found }))
  const group = { group_id: 'x', accepted_round: 1, value: '{"a":1}' }
  assert.deepEqual(groups(), [{ ...group, is_chosen: 0 }])
  const mark = (round: number) => {
    store.mark('group/x', {
      kind: 'mark',
      ballot: { round, proposerId: 0 },
      writeId: { proposerId: 7, sequence: 1 },
    })
    while (store.flush(true));
  }
  // This mark goes into the index, and the next one into the row.
  mark(1)
  assert.deepEqual(groups(), [{ ...group, is_chosen: 1 }])
  const accepted = { round: 3, proposerId: 0 }
  const again = {
    ...aWrittenRecord(1, Buffer.from('{"a":1}')),
    accepted,
    promised: { round: 4, proposerId: 0 },
  }
  saveAll(store, [['group/x', again]])
  assert.deepEqual(groups(), [{ ...group, accepted_round: 3, is_chosen: 0 }])
  mark(3)
  assert.deepEqual(groups(), [{ ...group, accepted_round: 3, is_chosen: 1 }])
  assert.equal(other.prepare('PRAGMA auto_vacuum').get()?.auto_vacuum, 2)
  assert.equal(other.prepare('PRAGMA journal_mode').get()?.journal_mode, 'wal')
  other.close()
  store.close()
})

test('a file that is no database is refused with what to do', (t) => {
  const path = aDatabasePath(t)
  writeFileSync(path, 'not a database at all, but long enough to be looked at'.repeat(100))
  assert.throws(() => new SqliteStore(path), {
    code: 'store_corrupt',
    message: /is damaged .* empty data directory/,
  })
})

test('a database with overwritten pages fails as damaged, and never with a record of its own making', (t) => {
  const path = aDatabasePath(t)
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
