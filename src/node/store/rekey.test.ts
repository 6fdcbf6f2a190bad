import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Membership } from '../../rpc/messages.ts'
import { anyKey, anyRecord } from '../../testing/message-arbitraries.ts'
import { aDatabasePath, asLoaded, aWrittenRecord, saveAll, scanAll } from '../../testing/store-fixture.ts'
import { DIGEST_END, leafOf, leafOfHash, readSecret } from './digest-hash.ts'
import { hashKey } from './key-hash.ts'
import { ROW_COLUMNS, rowOf } from './record-rows.ts'
import { SqliteStore } from './sqlite-store.ts'

const SECRET = '00c0ffee00c0ffee'
const BORN_BEFORE: Membership = {
  clusterId: 'c',
  epoch: 1,
  members: [{ nodeId: 'n', address: 'h:1' }],
  tombstoneGraceMs: 3_600_000,
}
const MEMBERSHIP: Membership = { ...BORN_BEFORE, hashSecret: SECRET }
const LEAVES = Array.from({ length: 256 }, (_, branch) => branch)

function digestsOf({ inventory }: SqliteStore): number[] {
  return LEAVES.flatMap((branch) => inventory.digests.leavesOf(branch))
}

function adopt(store: SqliteStore, membership: Membership): void {
  store.transaction(() => store.saveMembership(membership))
}

test('a node that learns the secret late holds the same, by the same digests, as one that had it from the start', (t) => {
  const anySaves = fc.array(fc.tuple(anyKey, anyRecord), { maxLength: 12 })
  fc.assert(
    fc.property(anySaves, anySaves, anySaves, (before, within, after) => {
      const paths = [aDatabasePath(t), aDatabasePath(t)] as const
      const early = new SqliteStore(paths[0])
      adopt(early, MEMBERSHIP)
      saveAll(early, [...before, ...within, ...after])
      const late = new SqliteStore(paths[1])
      saveAll(late, before)
      late.transaction(() => {
        late.saveMembership(MEMBERSHIP)
        for (const [key, record] of within) late.save(key, late.load(key), record)
      })
      saveAll(late, after)
      const check = (store: SqliteStore) => {
        assert.deepEqual(digestsOf(store), digestsOf(early))
        assert.deepEqual(store.inventory.counts, early.inventory.counts)
        assert.deepEqual(store.membership, MEMBERSHIP)
        for (const [key, record] of new Map([...before, ...within, ...after])) {
          assert.deepEqual(store.load(key), asLoaded(record))
          const leaves = new Set([leafOfHash(hashKey(key, readSecret(SECRET)))])
          assert.ok(scanAll(store, 100, { leaves }).some((entry) => entry.key === key))
        }
      }
      check(late)
      late.close()
      const reopened = new SqliteStore(paths[1])
      check(reopened)
      reopened.close()
      early.close()
    }),
    { numRuns: 8 },
  )
})

test('a transaction that fails takes the secret back, with all that it had moved', (t) => {
  const store = new SqliteStore(aDatabasePath(t))
  t.after(() => store.close())
  saveAll(store, [['cluster/membership', aWrittenRecord(1, Buffer.from('m'))]])
  const before = digestsOf(store)
  const failing = () => {
    store.saveMembership(MEMBERSHIP)
    store.insert('group/a', aWrittenRecord(2, Buffer.from('a')))
    throw new RangeError('of the test')
  }
  assert.throws(() => store.transaction(failing), RangeError)
  assert.deepEqual(digestsOf(store), before)
  assert.equal(store.membership, undefined)
  assert.equal(store.load('group/a'), EMPTY_RECORD)
  assert.equal(store.load('cluster/membership').state.generation, 1)
  adopt(store, BORN_BEFORE)
  assert.deepEqual(digestsOf(store), before, 'a cluster without a secret moves nothing')
})

test('ids that a client has made to fall into one leaf, by the hash that everybody knows, are spread', () => {
  const leaf = leafOf('group/0')
  const made: string[] = []
  for (let id = 0; made.length < 16; id += 1) if (leafOf(`group/${id}`) === leaf) made.push(`group/${id}`)
  const spread = new Set(made.map((key) => leafOfHash(hashKey(key, readSecret(SECRET)))))
  assert.equal(spread.size, 16)
})

test('a node starts with 300,000 rows in one leaf whose sum is beyond 64 bits, and spreads them with a secret', (t) => {
  const path = aDatabasePath(t)
  new SqliteStore(path).close()
  const db = new DatabaseSync(path)
  const insert = db.prepare(
    `INSERT INTO record (id, key, ${ROW_COLUMNS.join(', ')}) VALUES (?, ?${', ?'.repeat(ROW_COLUMNS.length)})`,
  )
  const [count, leaf, digest] = [300_000, 5, DIGEST_END - 1]
  assert.ok(BigInt(count) * BigInt(digest) > 2n ** 63n)
  db.exec('BEGIN')
  for (let id = 1; id <= count; id += 1) {
    const key = `group/${id}`
    insert.run(id, ...rowOf(key, aWrittenRecord(id, Buffer.alloc(0)), { leaf, digest }))
  }
  db.exec('COMMIT')
  db.close()
  const store = new SqliteStore(path)
  assert.equal(store.inventory.counts.recordCount, count)
  const sum = Number((BigInt(count) * BigInt(digest)) % BigInt(DIGEST_END))
  assert.equal(store.inventory.digests.leavesOf(0)[leaf], sum)
  adopt(store, MEMBERSHIP)
  assert.equal(store.load('group/300000').state.writeId.sequence, count)
  assert.equal(store.inventory.counts.recordCount, count)
  store.close()
  const spread = new DatabaseSync(path, { readOnly: true })
  const fullest = spread
    .prepare('SELECT COUNT(*) AS count FROM record GROUP BY leaf ORDER BY 1 DESC LIMIT 1')
    .get()
  spread.close()
  // About 5 rows would be in each leaf if all leaves were alike.
  assert.ok(Number(fullest?.count) < 30, `${fullest?.count} rows`)
})
