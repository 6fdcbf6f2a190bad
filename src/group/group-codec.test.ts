import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { group } from '../testing/group-arbitraries.ts'
import { type CutText, joinCutTexts } from './cut-text.ts'
import { etagOf } from './etag.ts'
import type { Group } from './group.ts'
import {
  backedUp,
  cutForBackup,
  cutForClients,
  decodeGroup,
  encodeGroup,
  lifeOfStored,
  showGroup,
  showStored,
} from './group-codec.ts'
import { lifeOf } from './life.ts'

const textOf = (text: CutText) => joinCutTexts('', [text], '').toString()

test('a group comes back as it was, whatever its labels are named', () => {
  fc.assert(
    fc.property(group, (value) => {
      const decoded = decodeGroup(encodeGroup(value))
      assert.deepEqual(decoded, value)
      assert.deepEqual(Object.entries(decoded.labels ?? {}), Object.entries(value.labels ?? {}))
    }),
  )
})

test('a label named __proto__ is an own property of the decoded labels, and changes no other object', () => {
  const labels = Object.fromEntries([['__proto__', 'x']])
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const decoded = decodeGroup(encodeGroup({ groupId: 'g', labels, version: 1, incarnation: 'i', ...times }))
  assert.deepEqual(Object.keys(decoded.labels ?? {}), ['__proto__'])
  assert.equal(Object.getPrototypeOf(decoded.labels), Object.prototype)
  assert.equal(({} as Record<string, unknown>).x, undefined)
})

test('bytes inside a larger buffer are read from where they start', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const value = { groupId: 'é', version: 1, incarnation: 'i', ...times }
  const bytes = encodeGroup(value)
  const larger = new Uint8Array(bytes.length + 10)
  larger.set(bytes, 5)
  assert.deepEqual(decodeGroup(larger.subarray(5, 5 + bytes.length)), value)
})

test('bytes that are no group are refused, whatever JSON they are', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const right = { groupId: 'g', version: 1, incarnation: 'i', ...times }
  assert.deepEqual(decodeGroup(Buffer.from(JSON.stringify(right))), right)
  const wrong = [
    '',
    '{',
    'null',
    '5',
    '"g"',
    '[]',
    '{}',
    ...[
      { groupId: 5 },
      { description: null },
      { labels: null },
      { labels: [] },
      { labels: { a: 1 } },
      { version: '1' },
      { version: 1.5 },
      { version: 2 ** 53 },
      { incarnation: null },
      { life: 1 },
      { requests: 'k.c' },
      { requests: [1] },
      { createdAt: 0 },
      { updatedAt: {} },
    ].map((fields) => JSON.stringify({ ...right, ...fields })),
  ]
  for (const text of wrong) assert.throws(() => decodeGroup(Buffer.from(text)), Error, text)
})

test('a stored group is shown as the group that it is, whatever its texts hold', () => {
  const tricky = fc.constantFrom(
    '"version":1,"incarnation":"x","createdAt":"y","updatedAt":"z"}',
    '\\","version":9,"incarnation":"x',
    '"incarnation":"","',
  )
  const described = fc.record({ value: group, description: fc.oneof(tricky, fc.string()) })
  fc.assert(
    fc.property(described, ({ value, description }) => {
      for (const each of [value, { ...value, description }]) {
        // In the order in which commands make them.
        const { groupId, description: text, labels, ...rest } = each
        const { version, incarnation, createdAt, updatedAt, updatedBy, requestId } = rest
        for (const life of [undefined, 'l-1', incarnation]) {
          const fields = {
            groupId,
            description: text,
            labels,
            version,
            incarnation,
            life,
            createdAt,
            updatedAt,
            updatedBy,
            requestId,
          }
          const stored = fields as Group
          const shown = showStored(encodeGroup(stored))
          assert.deepEqual(shown, showGroup(decodeGroup(encodeGroup(stored))))
          assert.equal(textOf(cutForClients(encodeGroup(stored))), shown.json)
          assert.equal(etagOf(shown), etagOf(each))
          assert.ok(!('incarnation' in JSON.parse(shown.json)) && !('life' in JSON.parse(shown.json)))
          assert.equal(lifeOfStored(encodeGroup(stored)), lifeOf(stored))
        }
      }
    }),
  )
})

test('a stored group of another order of fields is shown in ours, and what is no group is refused', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const stored = { incarnation: 'i', ...times, version: 3, groupId: 'g' }
  assert.deepEqual(showStored(encodeGroup(stored)), {
    version: 3,
    incarnation: 'i',
    json: JSON.stringify({ groupId: 'g', version: 3, ...times }),
  })
  for (const wrong of [
    '',
    '{}',
    '[]',
    '{"groupId":"g","version":1}',
    '{"groupId":"g","version":0,"incarnation":"i"',
  ])
    for (const show of [showStored, cutForClients, cutForBackup])
      assert.throws(() => show(Buffer.from(wrong)))
})

test('values of versions before groups had authors are read and shown as before', () => {
  const old =
    '{"groupId":"g","version":3,"incarnation":"i","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-02T00:00:00.000Z"}'
  assert.deepEqual(showStored(Buffer.from(old)), {
    version: 3,
    incarnation: 'i',
    json: old.replace('"incarnation":"i",', ''),
  })
  assert.equal(decodeGroup(Buffer.from(old)).updatedBy, undefined)
})

test('the stored bytes of a group with its author, and what clients see of them', () => {
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-02T00:00:00.000Z' }
  const author = { updatedBy: 'key:k1', requestId: 'r-1' }
  const bytes = encodeGroup({ groupId: 'g', version: 3, incarnation: 'i', ...times, ...author })
  const text =
    '{"groupId":"g","version":3,"incarnation":"i","createdAt":"2026-01-01T00:00:00.000Z","updatedAt":"2026-01-02T00:00:00.000Z","updatedBy":"key:k1","requestId":"r-1"}'
  assert.equal(Buffer.from(bytes).toString(), text)
  assert.equal(showStored(bytes).json, text.replace('"incarnation":"i",', ''))
})

test('a backup of stored bytes has everything but the life and the remembered requests', () => {
  fc.assert(
    fc.property(group, (value) => {
      const text = textOf(cutForBackup(encodeGroup(value)))
      assert.equal(text, JSON.stringify(backedUp(value)))
      assert.deepEqual(
        JSON.parse(text),
        JSON.parse(JSON.stringify({ ...value, life: undefined, requests: undefined })),
      )
    }),
  )
  const ofAnotherWriter = Buffer.from(
    '{"version":1,"groupId":"g","incarnation":"i","life":"l","createdAt":"c","updatedAt":"u"}',
  )
  assert.deepEqual(JSON.parse(textOf(cutForBackup(ofAnotherWriter))), {
    groupId: 'g',
    version: 1,
    incarnation: 'i',
    createdAt: 'c',
    updatedAt: 'u',
  })
  assert.throws(() => cutForBackup(Buffer.from('{"groupId":"g"}')))
})
