import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import { aDatabasePath, aWrittenRecord, saveAll } from '../../testing/store-fixture.ts'
import { checkPages } from './page-check.ts'
import { SqliteStore } from './sqlite-store.ts'

const PAGE_BYTES = 4_096

/** A database of some hundred records. */
function aStore(t: TestContext) {
  const path = aDatabasePath(t)
  const store = new SqliteStore(path)
  const value = new Uint8Array(1_000)
  saveAll(
    store,
    Array.from({ length: 300 }, (_, index) => [`group/${index}`, aWrittenRecord(index + 1, value)] as const),
  )
  while (store.flush(true));
  return { path, store }
}

const never = new AbortController().signal

test('the pages of a database that a node uses are checked beside it, and it goes on', async (t) => {
  const { path, store } = aStore(t)
  const checking = checkPages(path, never)
  saveAll(store, [['group/during', aWrittenRecord(1, new Uint8Array(10))]])
  assert.deepEqual(await checking, [])
  assert.ok(store.load('group/during').accepted)
  store.close()
})

test('a page whose cells are overwritten is named, which the checksums of records cannot do', async (t) => {
  const { path, store } = aStore(t)
  store.close()
  const bytes = readFileSync(path)
  // The first page that is a leaf of a table (type 13): its number of cells becomes absurd.
  const start = Array.from({ length: bytes.length / PAGE_BYTES }, (_, page) => page * PAGE_BYTES).find(
    (offset) => offset > 0 && bytes[offset] === 13,
  )!
  bytes.writeUInt16BE(60_000, start + 3)
  writeFileSync(path, bytes)
  const problems = await checkPages(path, never)
  assert.ok(problems!.length > 0)
  assert.match(problems![0]!, /page|malformed/i)
})

test('what is no database is damaged, what is not there rejects, and an aborted check resolves at once', async (t) => {
  const path = aDatabasePath(t)
  writeFileSync(path, 'not a database, but a text that is long enough to be looked at\n'.repeat(100))
  assert.match((await checkPages(path, never))![0]!, /not a database/)
  await assert.rejects(checkPages(`${path}.away`, never), /unable to open/)
  assert.equal(await checkPages(path, AbortSignal.abort()), undefined)
  const { path: whole, store } = aStore(t)
  const end = new AbortController()
  const checking = checkPages(whole, end.signal)
  end.abort()
  assert.equal(await checking, undefined)
  store.close()
})
