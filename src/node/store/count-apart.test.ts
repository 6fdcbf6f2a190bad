import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { test } from 'node:test'
import type { KeyRecord } from '../../register/messages.ts'
import { aDatabasePath, aWrittenRecord, copyDatabase, saveAll } from '../../testing/store-fixture.ts'
import { NodeHandler } from '../handler.ts'
import { countApart } from './count-apart.ts'
import { SqliteStore } from './sqlite-store.ts'

const value = new Uint8Array(100)
const keyOf = (index: number) => `group/${index}`
const tombstone = (sequence: number): KeyRecord => {
  const { state, ...rest } = aWrittenRecord(sequence, value)
  return { ...rest, state: { ...state, value: undefined } }
}

function figuresOf({ inventory }: SqliteStore) {
  const leaves = Array.from({ length: 256 }, (_, branch) => inventory.digests.leavesOf(branch))
  return { counts: inventory.counts, branches: inventory.digests.branches, leaves }
}

/** A database of 2,000 records, of which every tenth is a tombstone. */
function aDatabase(t: Parameters<typeof aDatabasePath>[0]): string {
  const path = aDatabasePath(t)
  const store = new SqliteStore(path)
  const records = Array.from({ length: 2_000 }, (_, index) => {
    const record = index % 10 === 0 ? tombstone(index + 1) : aWrittenRecord(index + 1, value)
    return [keyOf(index), record] as const
  })
  saveAll(store, records)
  while (store.flush(true));
  store.close()
  return path
}

const failed = (error: unknown) => assert.fail(error as Error)

test('what is changed while a thread counts is in the digests, and counts once', async (t) => {
  const path = aDatabase(t)
  const store = new SqliteStore(path, { countedAtOnceMax: 10 })
  // The count has its view of the database from here on. On a busy machine it may have ended already.
  const count = await store.countApart(failed)
  // Old keys, new keys, records that become tombstones, and tombstones that become stubs and are dropped.
  saveAll(store, [
    [keyOf(5), tombstone(9_001)],
    [keyOf(6), aWrittenRecord(9_002, value)],
    [keyOf(10), aWrittenRecord(9_003, value)],
    ['group/new', aWrittenRecord(9_004, value)],
  ])
  await count.done
  saveAll(store, [['group/later', aWrittenRecord(9_005, value)]])
  const figures = figuresOf(store)
  assert.deepEqual(figures.counts, { recordCount: 2_002, tombstoneCount: 200, stubCount: 0 })
  store.close()
  const again = new SqliteStore(path)
  assert.deepEqual(figuresOf(again), figures)
  again.close()
})

test('a count is not lost when it ends before the thread that asked has looked', async (t) => {
  const path = aDatabase(t)
  const counting = countApart(path)
  // Both messages of the other thread are there by the time that this one looks.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500)
  const { counts } = await counting
  assert.ok((await counts) !== undefined)
})

test('a node that dies while it counts has lost nothing, and the next start counts the same', async (t) => {
  const path = aDatabase(t)
  const store = new SqliteStore(path, { countedAtOnceMax: 10 })
  const count = await store.countApart(failed)
  saveAll(store, [['group/during', aWrittenRecord(9_001, value)]])
  const copy = copyDatabase(t, path)
  await count.done
  const figures = figuresOf(store)
  store.close()
  const atOnce = new SqliteStore(copy)
  assert.deepEqual(figuresOf(atOnce), figures)
  atOnce.close()
  const apart = new SqliteStore(copy, { countedAtOnceMax: 10 })
  const second = await apart.countApart(failed)
  await second.done
  assert.deepEqual(figuresOf(apart), figures)
  apart.close()
})

test('until the records are counted, a node votes and answers reads, tells no digests, and is not empty', async (t) => {
  const store = new SqliteStore(aDatabase(t), { countedAtOnceMax: 10 })
  const handler = new NodeHandler({ store, version: '1.2.3', defer: setImmediate, onFatal: failed })
  const question = { clusterId: '', epoch: 0, nodeId: store.nodeId, branches: [] }
  assert.equal(handler.digest(question), 'counting')
  assert.equal(handler.describe()?.recordCount, 2_000)
  assert.equal(store.load(keyOf(7)).state.writeId.sequence, 8)
  assert.equal(
    store.transaction(() => store.insert('group/new', aWrittenRecord(9_001, value))),
    true,
  )
  const count = await store.countApart(failed)
  await count.stop()
  // A quick count ends before it is stopped. One that was stopped says nothing.
  if (store.inventory.isComplete) assert.equal(store.inventory.counts.recordCount, 2_001)
  else assert.equal(handler.digest(question), 'counting')
  store.close()
})

test('if the thread cannot read the database, the store counts at once', async (t) => {
  const path = aDatabase(t)
  const store = new SqliteStore(path, { countedAtOnceMax: 10 })
  renameSync(path, `${path}.away`)
  const errors: unknown[] = []
  const count = await store.countApart((error) => errors.push(error))
  renameSync(`${path}.away`, path)
  assert.equal(errors.length, 1)
  assert.equal(store.inventory.counts.recordCount, 2_000)
  assert.equal(store.inventory.isComplete, true)
  await count.done
  store.close()
})

test('what a thread has counted is dropped when everything was counted at once meanwhile', async (t) => {
  const store = new SqliteStore(aDatabase(t), { countedAtOnceMax: 10 })
  const count = await store.countApart(failed)
  // A membership with a secret moves all records to other leaves, so all are counted again.
  store.transaction(() =>
    store.saveMembership({
      clusterId: 'c',
      epoch: 1,
      members: [{ nodeId: store.nodeId, address: 'node:1' }],
      tombstoneGraceMs: 1_000,
      hashSecret: '0123456789abcdef',
    }),
  )
  const figures = figuresOf(store)
  assert.equal(figures.counts.recordCount, 2_000)
  await count.done
  assert.deepEqual(figuresOf(store), figures)
  store.close()
})
