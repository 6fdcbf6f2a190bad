import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeDatabasePlace, encodeDatabasePlace } from './place.ts'

const PLACE = { systemId: '7', timeline: 3, snapshot: '10:20:11,15' }

test('a place of a database is read back as it was, and what is none is none', () => {
  assert.deepEqual(decodeDatabasePlace(encodeDatabasePlace(PLACE)), PLACE)
  const texts = [
    '',
    'x',
    '[]',
    '["pg"]',
    '["other","7",3,"10:20:"]',
    '["pg",7,3,"10:20:"]',
    '["pg","7","3","10:20:"]',
    '["pg","7",3,"10:20:11;"]',
  ]
  for (const text of texts)
    assert.equal(decodeDatabasePlace(Buffer.from(text).toString('base64url')), undefined, text)
})

test('a place has a bounded length: it is earlier than it must be when too many transactions were open', () => {
  const open = Array.from({ length: 500 }, (_, number) => 1_000 + number).join(',')
  const text = encodeDatabasePlace({ ...PLACE, snapshot: `1000:2000:${open}` })
  assert.ok(text.length < 100, `${text.length} characters`)
  assert.equal(decodeDatabasePlace(text)?.snapshot, '1000:1000:')
})
