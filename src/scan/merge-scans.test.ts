import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { wholeRecords } from '../register/damage.ts'
import type { KeyRecord } from '../register/messages.ts'
import { compareKeys } from '../rpc/key-order.ts'
import { anyText } from '../testing/text-arbitraries.ts'
import { mergeScans } from './merge-scans.ts'

/** Records that can be told apart by their round. */
function aRecord(round: number): KeyRecord {
  return { ...EMPTY_RECORD, promised: { round, proposerId: 1 } }
}

async function* pagesOf(keys: readonly string[], node: number, size: number) {
  for (let at = 0; at < keys.length; at += size) {
    await null
    yield keys.slice(at, at + size).map((key) => ({ key, record: aRecord(node + 2) }))
  }
}

const key = anyText({ maxLength: 3 })
const holding = fc.uniqueArray(key, { maxLength: 12 }).map((keys) => keys.toSorted(compareKeys))

test('every key comes once, in order, with what each node holds for it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(holding, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5 }),
      async (held, size) => {
        // Node 0 exists, and is not scanned.
        const scans = held.map((keys, index) => ({ node: index + 1, pages: pagesOf(keys, index + 1, size) }))
        const merged = (await Array.fromAsync(mergeScans(scans, held.length + 1))).flat()
        assert.deepEqual(
          merged.map((entry) => entry.key),
          [...new Set(held.flat())].sort(compareKeys),
        )
        for (const entry of merged) {
          assert.deepEqual(
            wholeRecords(entry.records).map((record) => record?.promised.round),
            [undefined, ...held.map((keys, index) => (keys.includes(entry.key) ? index + 3 : 1))],
          )
        }
      },
    ),
  )
})

test('a scan that breaks ends all of them', async () => {
  let isClosed = false
  async function* endless() {
    try {
      for (let i = 0; ; i += 1) yield [{ key: `k${String(i).padStart(9, '0')}`, record: EMPTY_RECORD }]
    } finally {
      isClosed = true
    }
  }
  async function* broken() {
    yield [{ key: 'k000000003', record: EMPTY_RECORD }]
    throw new Error('the node is lost')
  }
  const scans = [
    { node: 0, pages: endless() },
    { node: 1, pages: broken() },
  ]
  await assert.rejects(Array.fromAsync(mergeScans(scans, 2)), /the node is lost/)
  assert.ok(isClosed)
})
