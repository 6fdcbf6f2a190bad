import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyCount, anyKey, anyRecord, plain } from '../testing/message-arbitraries.ts'
import { optional, reference, wireRecord } from '../testing/wire-reference.ts'
import { decodeScanPage, decodeScanRange, encodeScanPage, encodeScanRange } from './scan-codec.ts'

const anyRecipient = plain({ clusterId: fc.constant('c'), epoch: anyCount, nodeId: fc.constant('n') })

test('a range has the bytes that node.proto says, and is read back as it was', () => {
  const anyAsker = fc.option(anyRecipient, { nil: undefined })
  const anyLimit = fc.option(anyCount, { nil: undefined })
  fc.assert(
    fc.property(
      fc.boolean(),
      fc.boolean(),
      fc.boolean(),
      anyAsker,
      anyLimit,
      (omitValues, removableOnly, damagedOnly, recipient, limit) => {
        const range = {
          start: 'group/a',
          end: 'group/b',
          omitValues,
          removableOnly,
          damagedOnly,
          leaves: undefined,
          recipient,
          limit,
        }
        const bytes = reference('ScanRequest', {
          start: 'group/a',
          end: 'group/b',
          ...(omitValues ? { omitValues } : {}),
          ...(removableOnly ? { removableOnly } : {}),
          ...recipient,
          ...optional({ limit }),
          ...(damagedOnly ? { damagedOnly } : {}),
        })
        assert.deepEqual(encodeScanRange(range), bytes)
        assert.deepEqual(decodeScanRange(bytes), range)
      },
    ),
  )
})

test('a range of some leaves has the bytes that node.proto says, and is read back as it was', () => {
  const anyLeaves = fc.uniqueArray(fc.integer({ min: 0, max: 65_535 }), { minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(anyLeaves, (numbers) => {
      const bits = Buffer.alloc(8_192)
      for (const leaf of numbers) bits[leaf >> 3] = bits[leaf >> 3]! | (1 << (leaf & 7))
      const leaves = new Set(numbers.sort((a, b) => a - b))
      const range = {
        start: '',
        end: '',
        omitValues: false,
        removableOnly: false,
        damagedOnly: false,
        leaves,
        recipient: undefined,
        limit: undefined,
      }
      assert.deepEqual(encodeScanRange(range), reference('ScanRequest', { leaves: bits }))
      assert.deepEqual(decodeScanRange(encodeScanRange(range)), range)
    }),
  )
})

test('a range that makes no sense is refused with the reason', () => {
  const refused = (message: object, reason: RegExp) =>
    assert.throws(() => decodeScanRange(reference('ScanRequest', message)), {
      name: 'WireError',
      message: reason,
    })
  refused({ leaves: Buffer.alloc(3) }, /24 bits for 65536 leaves/)
  refused(
    { leaves: Buffer.alloc(8_192), removableOnly: true },
    /both for some leaves and for what is removable/,
  )
})

test('a page has the bytes that node.proto says, and is read back as it was', () => {
  fc.assert(
    fc.property(fc.array(plain({ key: anyKey, record: anyRecord })), (entries) => {
      const page = reference('ScanPage', {
        entries: entries.map(({ key, record }) => ({ key, record: wireRecord(key, record) })),
      })
      assert.deepEqual(encodeScanPage(entries, false), page)
      assert.deepEqual(decodeScanPage(page), entries)
    }),
  )
})

test('a page shows a damaged record in its place', () => {
  const entries = [
    { key: 'group/a', record: { promiseBound: 7 } },
    { key: 'group/b', record: { promiseBound: 0 } },
  ]
  const expected = reference('ScanPage', {
    entries: [
      { key: 'group/a', damage: { promiseBound: 7 } },
      { key: 'group/b', damage: {} },
    ],
  })
  assert.deepEqual(encodeScanPage(entries, true), expected)
  assert.deepEqual(decodeScanPage(expected), entries)
})
