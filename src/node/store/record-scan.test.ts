import assert from 'node:assert/strict'
import { StatementSync } from 'node:sqlite'
import { test } from 'node:test'
import type { ScanEntry, ScanRange } from '../../rpc/messages.ts'
import { aDatabasePath, aWrittenRecord, saveAll, scanAll } from '../../testing/store-fixture.ts'
import { leafOf } from './digest-hash.ts'
import { SqliteStore } from './sqlite-store.ts'

test('a scan of some leaves finds their keys among many others, and one of what is removable only that', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
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

/** Leaves without a key. A scan asks them once for every key that it looks at. */
class NoLeaves extends Set<number> {
  lookups = 0

  override has(): boolean {
    this.lookups += 1
    return false
  }
}

test('a page of a scan of some leaves looks at some keys, however many there are behind it', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
  const add = (from: number, to: number) =>
    saveAll(
      store,
      Array.from({ length: to - from }, (_, i) => [
        `group/${String(from + i).padStart(5, '0')}`,
        aWrittenRecord(i + 1, Buffer.from('v')),
      ]),
    )
  const queries = t.mock.method(StatementSync.prototype, 'all').mock
  const assertFew = () => {
    const leaves = new NoLeaves()
    queries.resetCalls()
    const { entries, nextStart } = store.scan({ start: '', end: '', omitValues: true, leaves }, 100)
    assert.deepEqual(entries, [])
    assert.ok(nextStart !== undefined, 'keys are left for further pages')
    assert.ok(leaves.lookups >= 1_000 && leaves.lookups <= 2_100, `${leaves.lookups} keys`)
    const rows = queries.calls.reduce((sum, { result }) => sum + (result?.length ?? 0), 0)
    assert.ok(rows <= 1_100, `${rows} rows`)
  }
  add(0, 5_000)
  assertFew() // All keys wait.
  while (store.flush(true)) {}
  assertFew() // All keys are in the index.
  add(5_000, 10_000)
  assertFew() // The later keys wait.
  store.close()
})

test('a scan ends before its end key, leaves values out on request, and cuts pages of large values', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
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
