/** What a damaged database does: what is read of it is what was written, or it is refused. */
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { FaultError } from '../../process/fault.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { aDatabasePath, asLoaded, aWrittenRecord, saveAll, scanAll } from '../../testing/store-fixture.ts'
import { asFault, isStoreError } from './sqlite-fault.ts'
import { SqliteStore } from './sqlite-store.ts'

const COUNT = 400
const MEMBERSHIP = {
  clusterId: 'c',
  epoch: 1,
  members: [{ nodeId: 'n', address: 'h:1' }],
  tombstoneGraceMs: 1,
}

function keyOf(index: number): string {
  return `group/${String(index).padStart(4, '0')}`
}

/** A closed database of records most of which are in the index, as bytes, and what it holds. */
function aWholeDatabase(t: TestContext) {
  const path = aDatabasePath(t)
  const store = new SqliteStore(path)
  const records = new Map<string, KeyRecord>()
  for (let index = 0; index < COUNT; index += 1) {
    const record = aWrittenRecord(index + 1, new Uint8Array(Buffer.from(`value ${index} `.repeat(10))))
    records.set(keyOf(index), asLoaded({ ...record, chosen: index % 3 === 0 }))
  }
  store.transaction(() => store.saveMembership(MEMBERSHIP))
  saveAll(store, [...records].slice(0, COUNT - 50))
  while (store.flush(true));
  saveAll(store, [...records].slice(COUNT - 50))
  const { nodeId } = store
  store.close()
  return { path, bytes: readFileSync(path), records, nodeId }
}

/**
 * Reads everything; the number of the records that were refused. Throws where something else was read than
 * was written.
 */
function readAll(path: string, records: ReadonlyMap<string, KeyRecord>, nodeId: string): number {
  const store = openOrRefuse(path)
  if (store === undefined) return records.size
  let refused = 0
  try {
    assert.equal(store.nodeId, nodeId)
    assert.deepEqual(store.membership, MEMBERSHIP)
    for (const [key, record] of records) {
      const read: KeyRecord | undefined = orRefuse((): KeyRecord => store.load(key))
      if (read === undefined) refused += 1
      // A mark may be lost.
      else assert.deepEqual(read, { ...record, chosen: record.chosen && read.chosen }, key)
    }
    assertNothingForgotten(store, records.keys())
  } finally {
    store.close()
  }
  return refused
}

/** A record that seems not to be there would be given another vote. */
function assertNothingForgotten(store: SqliteStore, keys: Iterable<string>): void {
  const undo = new Error('undo')
  const attempt = () =>
    store.transaction(() => {
      for (const key of keys) {
        const isNew = orRefuse((): boolean => store.insert(key, aWrittenRecord(1, new Uint8Array())))
        assert.notEqual(isNew, true, `${key} is forgotten`)
        orRefuse(() => store.insert(`${key} other`, aWrittenRecord(1, new Uint8Array())))
      }
      throw undo
    })
  assert.throws(
    attempt,
    (error) => error === undo || (error instanceof FaultError && error.code === 'store_corrupt'),
  )
}

function openOrRefuse(path: string): SqliteStore | undefined {
  return orRefuse(() => new SqliteStore(path))
}

/** `undefined`: the store says that it is damaged. */
function orRefuse<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    const fault = isStoreError(error) ? asFault(error, 'node.db') : error
    assert.ok(fault instanceof FaultError && fault.code === 'store_corrupt', String(error))
    return undefined
  }
}

test('a flipped bit anywhere changes nothing that is read: it is found, or it does not matter', (t) => {
  const { path, bytes, records, nodeId } = aWholeDatabase(t)
  assert.equal(readAll(path, records, nodeId), 0)
  let found = 0
  const flips = 150
  for (let flip = 0; flip < flips; flip += 1) {
    const at = Math.floor((flip + 0.5) * (bytes.length / flips))
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 1 << (flip % 8)
    writeFileSync(path, damaged)
    if (readAll(path, records, nodeId) > 0) found += 1
  }
  assert.ok(found > flips / 4, `${found} of ${flips} were found`)
})

test('a page that is overwritten is found, whichever it is', (t) => {
  const { path, bytes, records, nodeId } = aWholeDatabase(t)
  for (let page = 0; page < bytes.length / 4096; page += 1) {
    writeFileSync(path, Buffer.from(bytes).fill(0xa5, 4096 * page, 4096 * (page + 1)))
    readAll(path, records, nodeId)
  }
})

test('a page that has gone back to what it was before is not always found, but a record is never mixed of two', (t) => {
  const { path, bytes, records } = aWholeDatabase(t)
  const store = new SqliteStore(path)
  const changed = new Map<string, KeyRecord>()
  for (const [key, record] of records) {
    const accepted = { round: 7, proposerId: 3 }
    changed.set(key, { ...record, accepted, promised: { round: 8, proposerId: 0 }, chosen: false })
  }
  saveAll(store, changed)
  while (store.flush(true));
  store.close()
  const after = readFileSync(path)
  for (let page = 1; page < bytes.length / 4096; page += 7) {
    const mixed = Buffer.from(after)
    bytes.copy(mixed, 4096 * page, 4096 * page, 4096 * (page + 1))
    writeFileSync(path, mixed)
    const opened = openOrRefuse(path)
    if (opened === undefined) continue
    for (const [key, record] of changed) {
      const read: KeyRecord | undefined = orRefuse((): KeyRecord => opened.load(key))
      if (read === undefined) continue
      const old = records.get(key)!
      const isWhole = read.promised.round === 8 ? record : old
      assert.deepEqual(read, { ...isWhole, chosen: read.chosen }, key)
    }
    orRefuse(() => scanAll(opened, 100))
    opened.close()
  }
})
