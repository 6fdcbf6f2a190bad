import assert from 'node:assert/strict'
import { StatementSync } from 'node:sqlite'
import { test } from 'node:test'
import type { ScanEntry, ScanRange } from '../../rpc/messages.ts'
import { LEAF_COUNT } from '../../rpc/messages.ts'
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

test('a page of a scan of some leaves takes no longer the more keys there are behind it', (t) => {
  const key = (i: number) => `group/${String(i).padStart(5, '0')}`
  const taken = new Set(Array.from({ length: 50_000 }, (_, i) => leafOf(key(i))))
  const unused = Array.from({ length: LEAF_COUNT }, (_, leaf) => leaf).find((leaf) => !taken.has(leaf))!
  const range = { start: '', end: '', omitValues: true, leaves: new Set([unused]) }
  const [few, many] = [2_000, 50_000].map((count) => {
    const store = new SqliteStore(aDatabasePath(t))
    saveAll(
      store,
      Array.from({ length: count }, (_, i) => [key(i), aWrittenRecord(i + 1, Buffer.from('v'))]),
    )
    return { store, bestMs: Number.POSITIVE_INFINITY }
  }) as [Timed, Timed]
  // They take turns, because other programs on the machine only make turns longer.
  for (let turn = 0; turn < 200; turn += 1) {
    for (const timed of [few, many]) {
      const startMs = performance.now()
      assert.deepEqual(timed.store.scan(range, 100).entries, [])
      timed.bestMs = Math.min(timed.bestMs, performance.now() - startMs)
    }
  }
  // Of 25 times as many keys, all would take 25 times as long.
  assert.ok(many.bestMs < 12 * few.bestMs, `${many.bestMs} ms among 50,000 keys, ${few.bestMs} among 2,000`)
  for (const { store } of [few, many]) store.close()
})

type Timed = { readonly store: SqliteStore; bestMs: number }

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

test('a slice reads all its rows in one transaction: each row by itself would take and give back a lock', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
  const keys = Array.from({ length: 20 }, (_, i) => `group/${String(i).padStart(2, '0')}`)
  saveAll(
    store,
    keys.map((key, i) => [key, aWrittenRecord(i + 1, Buffer.from(key))]),
  )
  const statements: string[] = []
  for (const name of ['get', 'run'] as const) {
    const original = StatementSync.prototype[name] as (...parameters: unknown[]) => unknown
    t.mock.method(StatementSync.prototype, name, function (this: StatementSync, ...parameters: unknown[]) {
      statements.push(this.sourceSQL.split(' ', 1)[0]!)
      return original.apply(this, parameters)
    })
  }
  assert.equal(store.scan({ start: '', end: '', omitValues: false }, 128).entries.length, keys.length)
  t.mock.restoreAll()
  // No key is in the index yet, so each row is read by its id.
  assert.deepEqual(statements, ['BEGIN', ...keys.map(() => 'SELECT'), 'COMMIT'])
  store.close()
})
