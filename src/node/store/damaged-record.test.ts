/**
 * A damaged record is lost alone: everything else of the store is as it was, and the record can be healed.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { KeyRecord } from '../../register/messages.ts'
import { aDatabasePath, aWrittenRecord, copyDatabase, saveAll, scanAll } from '../../testing/store-fixture.ts'
import { SqliteStore, type StoreOptions } from './sqlite-store.ts'

const COUNT = 20
const HURT = 'group/07'

function keyOf(index: number): string {
  return `group/${String(index).padStart(2, '0')}`
}

type Damage = Readonly<{ sql: string; isIndexed?: boolean }>

/** A store in which one record was changed by hand, and what it held. */
function aDamagedStore(t: TestContext, { sql, isIndexed = true }: Damage, options: StoreOptions = {}) {
  const path = aDatabasePath(t)
  const records = new Map<string, KeyRecord>()
  for (let index = 0; index < COUNT; index += 1)
    records.set(keyOf(index), aWrittenRecord(index + 1, new Uint8Array(Buffer.from(`value ${index}`))))
  const whole = new SqliteStore(path)
  saveAll(whole, records)
  if (isIndexed) while (whole.flush(true));
  whole.close()
  const db = new DatabaseSync(path)
  assert.notEqual(db.prepare(sql).run().changes, 0)
  db.close()
  const store = new SqliteStore(path, options)
  t.after(() => store.close())
  return { path, store, records }
}

/** One flipped bit in each column of a record that a node relies on. */
const DAMAGES: Readonly<Record<string, Damage>> = {
  'the promise': { sql: `UPDATE record SET promised_round = promised_round + 4 WHERE key = '${HURT}'` },
  'the accepted ballot': { sql: `UPDATE record SET accepted_round = 5 WHERE key = '${HURT}'` },
  'the write id': { sql: `UPDATE record SET write_sequence = 1000 WHERE key = '${HURT}'` },
  'the stub': { sql: `UPDATE record SET is_stub = 3 WHERE key = '${HURT}'` },
  'the leaf': { sql: `UPDATE record SET leaf = 70000000 WHERE key = '${HURT}'` },
  'the digest': { sql: `UPDATE record SET digest = digest + 4096 WHERE key = '${HURT}'` },
  'the length': { sql: `UPDATE record SET value_bytes = NULL WHERE key = '${HURT}'` },
  'the state': { sql: `UPDATE record SET state = CAST(state || 'x' AS BLOB) WHERE key = '${HURT}'` },
  'the state and the length': {
    sql: `UPDATE record SET state = NULL, value_bytes = NULL WHERE key = '${HURT}'`,
  },
  'the checksum': { sql: `UPDATE record SET checksum = checksum + 1 WHERE key = '${HURT}'` },
  'the checksum of a key that waits': {
    sql: `UPDATE record SET checksum = checksum + 1 WHERE key = '${HURT}'`,
    isIndexed: false,
  },
  'the row, which is missing': { sql: `DELETE FROM record WHERE key = '${HURT}'` },
  'a key that waits': {
    sql: `UPDATE record SET promised_round = 9 WHERE key = '${HURT}'`,
    isIndexed: false,
  },
}

/** An integer that JavaScript has no number for. A flipped bit of an 8-byte integer made it first. */
const HUGE = '-9221475425363519486'
const HUGE_DAMAGES = [
  'promised_round',
  'accepted_proposer',
  'leaf',
  'digest',
  'value_bytes',
  'checksum',
].flatMap((column) =>
  [true, false].map((isIndexed) => [
    `${column} beyond 2^53${isIndexed ? '' : ', of a key that waits'}`,
    { sql: `UPDATE record SET ${column} = ${HUGE} WHERE key = '${HURT}'`, isIndexed },
  ]),
)

for (const [what, damage] of [...Object.entries(DAMAGES), ...HUGE_DAMAGES] as [string, Damage][]) {
  test(`a record is damaged alone, is named wherever it is met, and can be healed: ${what}`, (t) => {
    const { path, store, records } = aDamagedStore(t, damage)
    const whole = records.get(HURT)!
    store.mark(HURT, { kind: 'mark', ballot: whole.accepted!, writeId: whole.state.writeId })
    const added = aWrittenRecord(99, new Uint8Array())
    store.transaction(() => {
      assert.throws(() => store.load(HURT), { name: 'DamagedRecordError', key: HURT })
      assert.equal(store.insert(HURT, added), false)
      assert.equal(store.insert('group/new', added), true)
    })
    assert.deepEqual(store.load('group/new'), added, 'the transaction went on')
    while (store.flush(true));
    for (const [key, record] of records) if (key !== HURT) assert.deepEqual(store.load(key), record)

    const slice = store.scan({ start: '', end: '', omitValues: true }, 100)
    assert.deepEqual(slice.damaged, [HURT])
    assert.equal(slice.entries.length, COUNT)
    const one = store.scan({ start: HURT, end: keyOf(8), omitValues: false }, 1)
    assert.deepEqual(one, { entries: [], damaged: [HURT], nextStart: `${HURT}\0` })

    store.transaction(() => store.heal(HURT, whole))
    assert.deepEqual(store.load(HURT), whole)
    store.flush(false)
    const { counts, digests } = store.inventory
    assert.equal(counts.recordCount, COUNT + 1)
    const again = new SqliteStore(copyDatabase(t, path))
    t.after(() => again.close())
    for (const [key, record] of records) assert.deepEqual(again.load(key), record)
    assert.deepEqual(
      scanAll(again, 100).map(({ key }) => key),
      [...records.keys(), 'group/new'],
    )
    assert.deepEqual(scanAll(again, 100, { removableOnly: true }), [])
    assert.deepEqual(again.inventory.counts, counts)
    assert.deepEqual(again.inventory.digests.branches, digests.branches)
  })
}

test('the error of a damaged record makes the store fail if it is not caught, and nothing of the transaction is kept', (t) => {
  const { store } = aDamagedStore(t, DAMAGES['the promise']!)
  const attempt = (): void =>
    store.transaction(() => {
      store.insert('group/new', aWrittenRecord(99, new Uint8Array()))
      store.load(HURT)
    })
  assert.throws(attempt, { code: 'store_corrupt' })
  assert.equal(store.load('group/new').accepted, undefined)
})

/** Entries of the index that do not lead to the rows of their keys. */
const INDEX_DAMAGES: Readonly<Record<string, string>> = {
  'an entry leads to another row': `UPDATE key_index SET id = id + 1 WHERE key = '${HURT}'`,
  'an entry leads nowhere': `UPDATE key_index SET id = id + 1000 WHERE key = '${HURT}'`,
  'an entry has another key': `UPDATE key_index SET key = 'group/07x' WHERE key = '${HURT}'`,
  'the progress has no checksum': 'UPDATE indexing SET indexed_to = indexed_to - 1',
}

for (const [what, sql] of Object.entries(INDEX_DAMAGES)) {
  test(`a damaged index is rebuilt from the records, and nothing is lost: ${what}`, (t) => {
    let rebuilds = 0
    const { store, records } = aDamagedStore(t, { sql }, { onRebuild: () => (rebuilds += 1) })
    const isNew = store.transaction(() => store.insert(HURT, aWrittenRecord(99, new Uint8Array())))
    assert.equal(isNew, false)
    for (const [key, record] of records) assert.deepEqual(store.load(key), record)
    assert.deepEqual(
      scanAll(store, 7),
      [...records].map(([key, record]) => ({ key, record })),
    )
    while (store.flush(true));
    assert.equal(rebuilds, 1)
  })
}

test('an index that cannot be rebuilt, because a record has lost its key, makes the store fail', (t) => {
  const { path, store } = aDamagedStore(t, { sql: `UPDATE key_index SET id = id + 1 WHERE key = '${HURT}'` })
  const db = new DatabaseSync(path)
  db.exec("UPDATE record SET key = 'group/0x' WHERE key = 'group/00'")
  db.close()
  assert.throws(() => store.load(HURT), { code: 'store_corrupt' })
})
