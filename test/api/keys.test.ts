/** API keys over HTTP: they are made, listed, rotated and revoked, and what they then may do. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { CredentialCheck } from '../../src/access/credential-check.ts'
import { KeyCache } from '../../src/access/key-cache.ts'
import { KeyCheck } from '../../src/access/key-check.ts'
import { hashToken, newToken } from '../../src/access/key-token.ts'
import type { IssuedKey } from '../../src/api/key-schemas.ts'
import { expectProblem, fieldsOf } from './expect.ts'
import { MemoryKeyStore } from './memory-key-store.ts'
import { testApp } from './test-app.ts'

const NOW = '2026-01-01T00:00:00.000Z'
const ADMIN = newToken(randomBytes)

/** A connector with authentication, whose time stands still unless a test moves it. */
function connector(keys = new MemoryKeyStore()) {
  let nowMs = 0
  const authenticator = new CredentialCheck({
    keys: new KeyCheck({
      cache: new KeyCache(keys, { nowMs: () => nowMs }),
      adminHashes: () => [hashToken(ADMIN)],
      wallClockMs: () => Date.parse(NOW) + nowMs,
      onUse: () => {},
    }),
  })
  const world = testApp({
    authenticator,
    engine: { keys },
    clock: { now: () => new Date(Date.parse(NOW) + nowMs) },
  })
  const ask = (token: string | undefined, request: InjectOptions) =>
    world.app.inject({
      ...request,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    })
  return {
    ...world,
    keys,
    ask,
    pass: (ms: number) => {
      nowMs += ms
    },
    create: async (payload: object, token = ADMIN) => {
      const answer = await ask(token, { method: 'POST', url: '/v1/key', payload })
      assert.equal(answer.statusCode, 201, answer.body)
      return answer.json() as IssuedKey
    },
  }
}

test('a new key is shown once, is kept as a hash, and may do what its role says', async () => {
  const { ask, create, keys } = connector()
  const payload = { name: 'ci', role: 'writer', prefix: 'team-a/', expiresAt: '2026-04-01T00:00:00.000Z' }
  const answer = await ask(ADMIN, { method: 'POST', url: '/v1/key', payload })
  const { key, token } = answer.json() as IssuedKey
  assert.equal(answer.statusCode, 201)
  assert.equal(answer.headers.location, `/v1/key/${key.keyId}`)
  assert.equal(answer.headers['cache-control'], 'no-store')
  const createdBy = `admin-key:${ADMIN.slice(7, 15)}`
  assert.deepEqual(key, { keyId: token.slice(7, 15), ...payload, createdAt: NOW, createdBy })
  assert.match(keys.text, new RegExp(hashToken(token).toString('hex')))
  assert.doesNotMatch(keys.text, new RegExp(token.slice(15)))
  const shown = await ask(ADMIN, { url: `/v1/key/${key.keyId}` })
  assert.deepEqual(shown.json(), key)
  const other = await create({ name: 'ci', role: 'reader' })
  const list = (await ask(ADMIN, { url: '/v1/key' })).json()
  assert.deepEqual(
    list.keys,
    [key, other.key].sort((a, b) => (a.keyId < b.keyId ? -1 : 1)),
  )

  const group = { groupId: 'team-a/one' }
  assert.equal((await ask(token, { method: 'POST', url: '/v1/group', payload: group })).statusCode, 201)
  assert.equal((await ask(other.token, { url: '/v1/group/team-a%2Fone' })).statusCode, 200)
  expectProblem(await ask(token, { url: '/v1/key' }), 'forbidden')
  const caller = (await ask(token, { url: '/v1/caller' })).json()
  assert.deepEqual(caller, { kind: 'key', id: key.keyId, name: 'ci', role: 'writer', prefix: 'team-a/' })
})

test('a revoked key is refused by another connector after a second, and by no request after that taken', async () => {
  const keys = new MemoryKeyStore()
  const [one, other] = [connector(keys), connector(keys)]
  const { key, token } = await one.create({ name: 'ci', role: 'reader' })
  const status = async () => (await other.ask(token, { url: '/v1/group/g' })).statusCode
  assert.equal(await status(), 404)
  const revoked = await one.ask(ADMIN, { method: 'DELETE', url: `/v1/key/${key.keyId}` })
  assert.deepEqual(revoked.json(), key)
  assert.equal(await status(), 404)
  other.pass(1_001)
  assert.equal(await status(), 401)
  expectProblem(await one.ask(ADMIN, { url: `/v1/key/${key.keyId}` }), 'key_not_found')
  expectProblem(await one.ask(ADMIN, { method: 'DELETE', url: `/v1/key/${key.keyId}` }), 'key_not_found')
})

test('a rotated key has a new secret, and the old one counts until the overlap is over', async () => {
  const { ask, create, pass } = connector()
  const { key, token } = await create({ name: 'ci', role: 'reader' })
  const url = `/v1/key/${key.keyId}/rotate`
  const rotated = await ask(ADMIN, { method: 'POST', url, payload: { overlapSeconds: 3_600 } })
  const { key: shown, token: second } = rotated.json() as IssuedKey
  assert.equal(rotated.statusCode, 200)
  assert.equal(rotated.headers['cache-control'], 'no-store')
  assert.equal(shown.previousUntil, '2026-01-01T01:00:00.000Z')
  assert.equal(shown.rotatedBy, `admin-key:${ADMIN.slice(7, 15)}`)
  assert.notEqual(second, token)
  const status = async (used: string) => (await ask(used, { url: '/v1/group/g' })).statusCode
  pass(1_001)
  assert.deepEqual([await status(token), await status(second)], [404, 404])
  pass(3_600_000)
  assert.deepEqual([await status(token), await status(second)], [401, 404])
  const third = ((await ask(ADMIN, { method: 'POST', url, payload: {} })).json() as IssuedKey).token
  pass(1_001)
  assert.deepEqual([await status(second), await status(third)], [401, 404])
})

test('an expired key is refused, and says so to its holder', async () => {
  const { ask, create, pass } = connector()
  const { token } = await create({ name: 'ci', role: 'reader', expiresAt: '2026-01-01T00:00:01.000Z' })
  assert.equal((await ask(token, { url: '/v1/group/g' })).statusCode, 404)
  pass(1_000)
  const { detail } = expectProblem(await ask(token, { url: '/v1/group/g' }), 'unauthenticated')
  assert.match(
    detail ?? '',
    /^The API key ci \(\w{8}\) expired at 2026-01-01T00:00:01\.000Z\. Send an API key/,
  )
})

test('an admin with a prefix makes, sees and revokes only keys within it', async () => {
  const { ask, create } = connector()
  const { token } = await create({ name: 'team-a', role: 'admin', prefix: 'team-a/' })
  const outside = await create({ name: 'other', role: 'reader', prefix: 'team-b/' })
  const inside = await create({ name: 'within', role: 'writer', prefix: 'team-a/x/' }, token)
  for (const payload of [
    { name: 'n', role: 'reader' },
    { name: 'n', role: 'reader', prefix: 'team-b/' },
    { name: 'n', role: 'admin', prefix: 'team-' },
  ]) {
    const answer = await ask(token, { method: 'POST', url: '/v1/key', payload })
    assert.match(
      expectProblem(answer, 'forbidden').detail ?? '',
      /the key team-a \(\w{8}\) has the role admin for the prefix "team-a\/"/,
    )
  }
  const url = `/v1/key/${outside.key.keyId}`
  expectProblem(await ask(token, { url }), 'forbidden')
  expectProblem(await ask(token, { method: 'DELETE', url }), 'forbidden')
  expectProblem(await ask(token, { method: 'POST', url: `${url}/rotate`, payload: {} }), 'forbidden')
  const { keys } = (await ask(token, { url: '/v1/key' })).json()
  assert.deepEqual(keys.map(({ name }: { name: string }) => name).sort(), ['team-a', 'within'])
  const own = { method: 'DELETE', url: `/v1/key/${inside.key.keyId}` } as const
  assert.equal((await ask(token, own)).statusCode, 200)
})

test('when too few nodes answer: 503 for keys that cannot be checked, the admin key is still taken', async () => {
  const { ask, create, keys, pass } = connector()
  const { token } = await create({ name: 'ci', role: 'reader' })
  assert.equal((await ask(token, { url: '/v1/cluster' })).statusCode, 200)
  keys.failure = { kind: 'not_applied', reason: 'too few nodes answered in time' }
  assert.equal((await ask(token, { url: '/v1/cluster' })).statusCode, 200)
  pass(1_001)
  const refused = await ask(token, { url: '/v1/cluster' })
  assert.equal(expectProblem(refused, 'unavailable').outcome, 'not_applied')
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await ask(ADMIN, { url: '/v1/cluster' })).statusCode, 200)
})

test('what is wrong with a new key is named by its fields', async () => {
  const { ask } = connector()
  for (const [payload, fields] of [
    [{}, ['name', 'role']],
    [{ name: '', role: 'root', prefix: '' }, ['name', 'role', 'prefix']],
    [{ name: 'a\u0000', role: 'reader' }, ['name']],
    [{ name: 'n'.repeat(101), role: 'reader' }, ['name']],
    [{ name: 'n', role: 'none' }, ['role']],
    [{ name: 'n', role: 'reader', expiresAt: '2027-01-01' }, ['expiresAt']],
    [{ name: 'n', role: 'reader', expiresAt: NOW }, ['expiresAt']],
    [{ name: 'n', role: 'reader', token: 'mine' }, ['token']],
  ] as const) {
    const answer = await ask(ADMIN, { method: 'POST', url: '/v1/key', payload })
    assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), fields, answer.body)
  }
  const bad = await ask(ADMIN, { method: 'POST', url: '/v1/key', payload: { name: 'n', role: 'root' } })
  assert.match(bad.body, /must be one of reader, writer, admin, monitor/)
  for (const url of ['/v1/key/short', '/v1/key/k7Gh3ab%C3%A9', '/v1/key?after=k%20']) {
    expectProblem(await ask(ADMIN, { url }), 'invalid_request')
  }
  const url = '/v1/key/k7Gh3abc/rotate'
  for (const payload of [{ overlapSeconds: -1 }, { overlapSeconds: 2_592_001 }, { overlapSeconds: 1.5 }]) {
    const answer = await ask(ADMIN, { method: 'POST', url, payload })
    assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), ['overlapSeconds'])
  }
})

test('a failure of the nodes is told as for groups, and a key that cannot be read by its own code', async () => {
  const { app, keys } = testApp()
  const requests = [
    { method: 'POST', url: '/v1/key', payload: { name: 'n', role: 'reader' } },
    { method: 'GET', url: '/v1/key/k7Gh3abc' },
    { method: 'DELETE', url: '/v1/key/k7Gh3abc' },
    { method: 'POST', url: '/v1/key/k7Gh3abc/rotate', payload: {} },
  ] as const
  for (const [failure, code] of [
    [{ kind: 'not_applied', reason: 'r' }, 'unavailable'],
    [{ kind: 'unknown', reason: 'r' }, 'outcome_unknown'],
    [{ kind: 'unreadable', reason: 'r' }, 'unreadable_key'],
  ] as const) {
    keys.failure = failure
    for (const request of requests) expectProblem(await app.inject(request), code)
  }
})

test('no secret is in what is logged, listed or told in an error', async () => {
  const { ask, create, keys, logged, app } = connector()
  const { token, key } = await create({ name: 'ci', role: 'reader' })
  const wrong = newToken(randomBytes, key.keyId)
  const said: string[] = []
  for (const used of [token, wrong, `${token}x`, token.slice(0, -1), `${token} ${token}`]) {
    for (const url of ['/v1/group/g', '/v1/key', '/v1/caller', '/nope', '/metrics', '/v1/cluster']) {
      const { body, headers } = await ask(used, { url })
      said.push(body, JSON.stringify(headers))
    }
  }
  keys.read = () => Promise.reject(new Error('a bug'))
  said.push((await ask(ADMIN, { url: `/v1/key/${key.keyId}` })).body)
  said.push((await app.inject('/metrics')).body, ...logged)
  for (const secret of [token, wrong, ADMIN]) {
    assert.doesNotMatch(said.join('\n'), new RegExp(secret.slice(15, 37)))
    assert.doesNotMatch(said.join('\n'), new RegExp(hashToken(secret).toString('hex')))
  }
  assert.notEqual(logged.length, 0)
})

test('the routes of keys are not there if the engine keeps none', async () => {
  const { app } = testApp({ without: ['keys'] })
  expectProblem(await app.inject('/v1/key'), 'not_found')
  assert.equal((await app.inject('/v1/caller')).statusCode, 200)
})
