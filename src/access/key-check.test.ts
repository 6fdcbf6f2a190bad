import assert from 'node:assert/strict'
import crypto, { randomBytes } from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import { test } from 'node:test'
import type { ApiKey } from './api-key.ts'
import type { Verdict } from './authenticator.ts'
import { CredentialCheck } from './credential-check.ts'
import type { FailedLookup, Lookup } from './key-cache.ts'
import { KeyCache } from './key-cache.ts'
import { KeyCheck } from './key-check.ts'
import { hashToken, newToken } from './key-token.ts'

const NOW = Date.parse('2026-06-01T00:00:00.000Z')
const HOUR_MS = 3_600_000

const TOKEN = newToken(randomBytes, 'k7Gh3abc')
const OTHER_SECRET = newToken(randomBytes, 'k7Gh3abc')
const UNKNOWN = newToken(randomBytes, 'unknown1')

function hexOf(token: string): string {
  return hashToken(token).toString('hex')
}

function aKey(parts: Partial<ApiKey> = {}): ApiKey {
  return {
    keyId: 'k7Gh3abc',
    name: 'ci',
    role: 'writer',
    hash: hexOf(TOKEN),
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'anonymous:everyone',
    ...parts,
  }
}

function checkOf(key: ApiKey | undefined, adminTokens: readonly string[] = []) {
  const uses: string[] = []
  const asked: string[] = []
  const store = {
    read: async (keyId: string) => {
      asked.push(keyId)
      return { kind: 'done', value: keyId === key?.keyId ? key : undefined } as const
    },
  }
  const adminHashes = adminTokens.map(hashToken)
  const check = new KeyCheck({
    cache: new KeyCache(store, { nowMs: () => 0 }),
    adminHashes: () => adminHashes,
    wallClockMs: () => NOW,
    onUse: (keyId) => uses.push(keyId),
  })
  return { check, uses, asked, verdict: async (token: string) => check.check(token) }
}

function reasonIn(verdict: Verdict): string {
  assert.equal(verdict.kind, 'refused')
  return (verdict as Extract<Verdict, { kind: 'refused' }>).reason
}

test('the right key names its caller, with role and prefix', async () => {
  const { verdict, uses } = checkOf(aKey({ prefix: 'team-a/' }))
  assert.deepEqual(await verdict(TOKEN), {
    kind: 'known',
    caller: {
      kind: 'key',
      id: 'k7Gh3abc',
      name: 'ci',
      role: 'writer',
      prefix: 'team-a/',
      ref: 'key:k7Gh3abc',
    },
  })
  assert.deepEqual(uses, ['k7Gh3abc'])
})

test('an unknown id and a wrong secret get the same answer, by the same way', async () => {
  const { verdict, asked, uses } = checkOf(aKey())
  const [wrong, unknown] = [await verdict(OTHER_SECRET), await verdict(UNKNOWN)]
  assert.deepEqual(wrong, unknown)
  assert.match(reasonIn(wrong), /^The API key is not valid: it may have been revoked or replaced\.$/)
  // Both asked the cluster once, as the right key does.
  assert.deepEqual(asked, ['k7Gh3abc', 'unknown1'])
  assert.deepEqual(uses, [])
})

/** The time of a comparison must not tell where two hashes differ; this is its work, which does not vary. */
test('a wrong key makes exactly the work of a right one: the same hash, the same comparisons, the same question', async (t) => {
  const hash = t.mock.method(crypto, 'hash')
  const compare = t.mock.method(crypto, 'timingSafeEqual')
  // Modules that import a function of Node.js by its name see the replaced one only after this call.
  syncBuiltinESMExports()
  t.after(() => {
    t.mock.restoreAll()
    syncBuiltinESMExports()
  })
  const previous = { hash: hexOf(OTHER_SECRET), validUntil: new Date(NOW + 1).toISOString() }
  const over = { expiresAt: new Date(NOW - 1).toISOString() }
  const admins = [newToken(randomBytes), newToken(randomBytes)]
  const cases: [string, ApiKey | undefined, string][] = [
    ['the right key', aKey(), TOKEN],
    ['a wrong secret', aKey(), OTHER_SECRET],
    ['an id that nobody has', aKey(), UNKNOWN],
    ['the secret before a rotation', aKey({ previous }), OTHER_SECRET],
    ['the secret after a rotation', aKey({ previous }), TOKEN],
    ['a wrong secret after a rotation', aKey({ previous }), newToken(randomBytes, 'k7Gh3abc')],
    ['an expired key', aKey(over), TOKEN],
    ['a wrong secret of an expired key', aKey(over), OTHER_SECRET],
    ['a key of an empty cluster', undefined, TOKEN],
  ]
  for (const [name, key, token] of cases) {
    // On one connection the same key may come again and again; without one, each is read anew.
    for (const connection of [undefined, {}]) {
      const { check, asked } = checkOf(key, admins)
      for (const isRepeated of [false, true]) {
        hash.mock.resetCalls()
        compare.mock.resetCalls()
        asked.length = 0
        const verdict = check.check(token, connection)
        const isWaiting = verdict instanceof Promise
        await verdict
        const isRead = connection === undefined || !isRepeated
        assert.deepEqual(
          {
            isWaiting,
            asked: asked.length,
            hashed: hash.mock.calls.map(
              (call) => `${call.arguments[0]} of ${String(call.arguments[1]).length}`,
            ),
            lengths: compare.mock.calls.map((call) => call.arguments.map((bytes) => bytes.byteLength).join()),
          },
          {
            isWaiting: !isRepeated,
            asked: isRepeated ? 0 : 1,
            hashed: isRead ? ['sha256 of 43'] : [],
            // The last key of the connection; two admin keys, the secret of the key, and the one before it.
            lengths: [...(isRead ? [] : ['43,43']), '32,32', '32,32', '32,32', '32,32'],
          },
          name,
        )
      }
    }
  }
})

test('a key that is cut off or mistyped is told without asking the cluster', async () => {
  const { verdict, asked } = checkOf(aKey())
  for (const token of [
    TOKEN.slice(0, -1),
    `${TOKEN}x`,
    'cohort_',
    `${TOKEN.slice(0, 20)}é${TOKEN.slice(21)}`,
  ]) {
    assert.match(reasonIn(await verdict(token)), /malformed/)
  }
  assert.deepEqual(asked, [])
})

test('an expired key is refused from its last millisecond on, and only its holder learns why', async () => {
  const at = (ms: number) => ({ expiresAt: new Date(NOW + ms).toISOString() })
  assert.equal((await checkOf(aKey(at(1))).verdict(TOKEN)).kind, 'known')
  for (const ms of [0, -HOUR_MS]) {
    const { verdict } = checkOf(aKey(at(ms)))
    assert.match(reasonIn(await verdict(TOKEN)), /^The API key ci \(k7Gh3abc\) expired at 20/)
    assert.doesNotMatch(reasonIn(await verdict(OTHER_SECRET)), /expired/)
  }
})

test('after a rotation the new secret counts, and the old one only until the overlap is over', async () => {
  const rotated = (ms: number) =>
    aKey({
      hash: hexOf(OTHER_SECRET),
      previous: { hash: hexOf(TOKEN), validUntil: new Date(NOW + ms).toISOString() },
    })
  for (const [ms, kind] of [
    [1, 'known'],
    [0, 'refused'],
  ] as const) {
    const { verdict } = checkOf(rotated(ms))
    assert.equal((await verdict(OTHER_SECRET)).kind, 'known')
    assert.equal((await verdict(TOKEN)).kind, kind)
  }
  assert.equal((await checkOf(aKey({ hash: hexOf(OTHER_SECRET) })).verdict(TOKEN)).kind, 'refused')
})

test('any of the admin keys of the connector is admin, at once and without the cluster', () => {
  const admins = [newToken(randomBytes), newToken(randomBytes)]
  const check = new KeyCheck({
    cache: {
      find: (): Lookup | Promise<Lookup | FailedLookup> => {
        throw new Error('asked')
      },
    },
    adminHashes: () => admins.map(hashToken),
    wallClockMs: () => NOW,
    onUse: () => assert.fail(),
  })
  for (const token of admins) {
    const verdict = check.check(token) as Verdict
    assert.ok(verdict.kind === 'known')
    const { kind, role, prefix, id } = verdict.caller
    assert.deepEqual([kind, role, prefix, id], ['admin-key', 'admin', '', token.slice(7, 15)])
  }
})

test('when the cluster does not answer, the verdict is unavailable', async () => {
  const check = new KeyCheck({
    cache: { find: async () => ({ failure: 'too few nodes answered in time' }) },
    adminHashes: () => [],
    wallClockMs: () => NOW,
    onUse: () => assert.fail(),
  })
  assert.deepEqual(await check.check(TOKEN), {
    kind: 'unavailable',
    reason: 'the API key could not be checked (too few nodes answered in time)',
  })
})

test('an Authorization header is a scheme and one token; the scheme may be written in any case', async () => {
  const credentials = new CredentialCheck({ keys: checkOf(aKey()).check })
  const verdictOf = async (authorization: string | undefined) => credentials.authenticate({ authorization })
  assert.deepEqual(await verdictOf(undefined), { kind: 'missing' })
  for (const good of [`Bearer ${TOKEN}`, `bearer ${TOKEN}`, `BEARER   ${TOKEN} `]) {
    assert.equal((await verdictOf(good)).kind, 'known', good)
  }
  for (const bad of [
    '',
    TOKEN,
    'Bearer',
    'Bearer ',
    `Basic ${TOKEN}`,
    `Bearer ${TOKEN} ${TOKEN}`,
    'Bearer x',
  ]) {
    const verdict = await verdictOf(bad)
    assert.equal(verdict.kind, 'refused', bad)
    assert.doesNotMatch(reasonIn(verdict), /cohort_\w/)
  }
})

test('tokens that follow each other on one connection are judged each by itself, and each time anew', async () => {
  let nowMs = 0
  let key: ApiKey | undefined = aKey()
  const store = { read: async () => ({ kind: 'done', value: key }) as const }
  const check = new KeyCheck({
    cache: new KeyCache(store, { nowMs: () => nowMs }),
    adminHashes: () => [],
    wallClockMs: () => NOW,
    onUse: () => {},
  })
  const credentials = new CredentialCheck({ keys: check })
  const [connection, another] = [{}, {}]
  const kindOf = async (token: string, on: object) =>
    (await credentials.authenticate({ authorization: `Bearer ${token}`, connection: on })).kind
  for (const token of [TOKEN, TOKEN, OTHER_SECRET, TOKEN, `${TOKEN}x`, TOKEN, UNKNOWN, OTHER_SECRET, TOKEN])
    assert.equal(await kindOf(token, connection), token === TOKEN ? 'known' : 'refused', token)
  assert.equal(await kindOf(OTHER_SECRET, another), 'refused')
  assert.equal(await kindOf(TOKEN, connection), 'known')
  key = undefined
  nowMs = 1_001
  assert.equal(await kindOf(TOKEN, connection), 'refused', 'it was revoked')
})
