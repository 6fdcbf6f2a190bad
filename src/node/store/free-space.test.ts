import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { aDatabasePath, aWrittenRecord } from '../../testing/store-fixture.ts'
import { SqliteStore } from './sqlite-store.ts'

test('the space of what was removed is given back in small steps, and so is that of the log when the node is idle', (t) => {
  const path = aDatabasePath(t)
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
