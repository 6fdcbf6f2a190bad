import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ApiKey, createKey, mayManage, recordUse, revokeKey, rotateKey } from './api-key.ts'
import { decodeKey, encodeKey } from './api-key-codec.ts'
import { newCaller } from './caller.ts'

const KEY: ApiKey = {
  keyId: 'k7Gh3abc',
  name: 'ci',
  role: 'writer',
  prefix: 'team-a/',
  hash: 'ab'.repeat(32),
  createdAt: '2026-01-01T00:00:00.000Z',
  createdBy: 'anonymous:everyone',
}
const NEW_HASH = 'cd'.repeat(32)
const NOW = '2026-02-01T00:00:00.000Z'

function admin(prefix = '') {
  return newCaller({ kind: 'key', id: 'admin001', name: 'ops', role: 'admin', prefix })
}

test('a key is created once: an id that is taken is refused', () => {
  assert.deepEqual(createKey(KEY)(undefined), { kind: 'changed', key: KEY, answer: KEY })
  assert.deepEqual(createKey(KEY)(KEY), { kind: 'refused', refusal: 'key_exists' })
})

test('a revoked key is gone, and what comes after does not bring it back', () => {
  assert.deepEqual(revokeKey(admin())(KEY), { kind: 'changed', key: undefined, answer: KEY })
  const rotation = { hash: NEW_HASH, now: NOW, previousUntil: undefined, expiresAt: undefined }
  for (const command of [revokeKey(admin()), rotateKey(admin(), rotation), recordUse(NOW)]) {
    assert.deepEqual(command(undefined), { kind: 'refused', refusal: 'key_not_found' })
  }
})

test('a rotation replaces the secret, and ends an overlap of a rotation before it', () => {
  const rotate = (parts: object) =>
    rotateKey(admin(), { hash: NEW_HASH, now: NOW, previousUntil: undefined, expiresAt: undefined, ...parts })
  const previous = { hash: 'ef'.repeat(32), validUntil: '2027-01-01T00:00:00.000Z' }
  const rotated = { ...KEY, hash: NEW_HASH, rotatedAt: NOW, rotatedBy: 'key:admin001' }
  assert.deepEqual(rotate({})({ ...KEY, previous }), { kind: 'changed', key: rotated, answer: rotated })
  const overlapping = { ...rotated, previous: { hash: KEY.hash, validUntil: '2026-02-01T01:00:00.000Z' } }
  assert.deepEqual(rotate({ previousUntil: '2026-02-01T01:00:00.000Z' })({ ...KEY, previous }), {
    kind: 'changed',
    key: overlapping,
    answer: overlapping,
  })
  const expiring = { ...rotated, expiresAt: '2028-01-01T00:00:00.000Z' }
  const decision = rotate({ expiresAt: '2028-01-01T00:00:00.000Z' })(KEY)
  assert.deepEqual(decision, { kind: 'changed', key: expiring, answer: expiring })
})

test('a use is recorded at most every ten minutes', () => {
  const used = { ...KEY, lastUsedAt: NOW }
  assert.deepEqual(recordUse(NOW)(KEY), { kind: 'changed', key: used, answer: used })
  assert.deepEqual(recordUse('2026-02-01T00:09:59.999Z')(used), { kind: 'unchanged', answer: used })
  const later = { ...KEY, lastUsedAt: '2026-02-01T00:10:00.000Z' }
  assert.deepEqual(recordUse('2026-02-01T00:10:00.000Z')(used), {
    kind: 'changed',
    key: later,
    answer: later,
  })
  // Another connector's clock may be ahead.
  assert.deepEqual(recordUse('2026-01-31T00:00:00.000Z')(used), { kind: 'unchanged', answer: used })
})

test('an admin with a prefix manages the keys within it, and no others', () => {
  const { prefix: _, ...rest } = KEY
  const unlimited: ApiKey = rest
  for (const [callerPrefix, key, isAllowed] of [
    ['', KEY, true],
    ['', unlimited, true],
    ['team-a/', KEY, true],
    ['team-a/', { ...KEY, prefix: 'team-a/x/' }, true],
    ['team-a/', { ...KEY, prefix: 'team-' }, false],
    ['team-a/', { ...KEY, prefix: 'team-b/' }, false],
    ['team-a/', unlimited, false],
  ] as const) {
    const caller = admin(callerPrefix)
    assert.equal(mayManage(caller, key), isAllowed)
    assert.equal(revokeKey(caller)(key).kind, isAllowed ? 'changed' : 'refused')
  }
})

test('a key is stored with all its fields, and other bytes are refused', () => {
  const full: ApiKey = {
    ...KEY,
    previous: { hash: NEW_HASH, validUntil: NOW },
    rotatedAt: NOW,
    rotatedBy: 'key:admin001',
    expiresAt: NOW,
    lastUsedAt: NOW,
  }
  for (const key of [KEY, full]) assert.deepEqual(decodeKey(encodeKey(key)), key)
  const broken = [
    {},
    null,
    [],
    { ...KEY, role: 'none' },
    { ...KEY, role: 'root' },
    { ...KEY, hash: 'ab' },
    { ...KEY, prefix: 1 },
    { ...KEY, previous: {} },
    { ...KEY, expiresAt: 'never' },
    { ...KEY, name: undefined },
  ]
  for (const value of broken) {
    assert.throws(() => decodeKey(Buffer.from(JSON.stringify(value))), TypeError, JSON.stringify(value))
  }
  assert.throws(() => decodeKey(Buffer.from('{"groupId":"g"}')))
  assert.throws(() => decodeKey(Buffer.from('')))
})
