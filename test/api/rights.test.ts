/** Who may use which route: the table of rights, walked against all routes that Fastify knows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import type { Authenticator, Verdict } from '../../src/access/authenticator.ts'
import { type Caller, EVERYONE, NOBODY, newCaller } from '../../src/access/caller.ts'
import { hasRight, ROLES, type Role } from '../../src/access/role.ts'
import { ROUTE_RIGHTS, rightOf } from '../../src/access/route-rights.ts'
import type { Group } from '../../src/group/group.ts'
import { expectProblem } from './expect.ts'
import { exchange, listen } from './raw-http.ts'
import { type TestApp, testApp } from './test-app.ts'

const KINDS = ['an API key as "Authorization: Bearer cohort_..."', 'a client certificate']

function caller(role: Role, prefix = ''): Caller {
  return newCaller({ kind: 'key', id: 'k7Gh3abc', name: 'ci', role, prefix })
}

/** An authenticator whose verdict is always the same. */
function always(verdict: Verdict): Authenticator & { count: number } {
  return {
    kinds: KINDS,
    count: 0,
    authenticate() {
      this.count += 1
      return verdict
    },
  }
}

function appFor(verdict: Verdict): TestApp {
  return testApp({ authenticator: always(verdict) })
}

/** All routes that Fastify knows, as `METHOD /path`. */
async function allRoutes(): Promise<{ method: string; url: string }[]> {
  const { app } = testApp()
  const routes: { method: string; url: string }[] = []
  app.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) routes.push({ method: name, url })
  })
  await app.ready()
  return routes
}

/** A request for a route, which needs no group to exist. */
function requestTo({ method, url }: { method: string; url: string }): InjectOptions {
  return {
    method: method as 'GET',
    url: url
      .replace('::', ':')
      .replace(':groupId', 'team-a%2Fone')
      .replace(':memberId', 'alice')
      .replace('::', ':')
      .replace(':nodeId', 'n1')
      .replace(':keyId', 'k7Gh3abc')
      .replace('*', 'x')
      // With a selector that is refused, the answer has an end.
      .replace('/v1/watch', '/v1/watch?labels=%28'),
  }
}

test('every route has a right, and every row of the table is a route', async () => {
  const routes = await allRoutes()
  assert.ok(routes.length > 20)
  for (const { method, url } of routes) assert.ok(rightOf(method, url) !== undefined, `${method} ${url}`)
  const names = new Set(routes.map(({ method, url }) => `${method} ${url}`))
  const files = Object.keys(ROUTE_RIGHTS).filter((route) => route.endsWith('/*'))
  assert.deepEqual(
    Object.keys(ROUTE_RIGHTS).filter((route) => !names.has(route) && !files.includes(route)),
    [],
  )
})

test('a route that is not in the table of rights does not start', () => {
  for (const app of [testApp().app, appFor({ kind: 'missing' }).app]) {
    assert.throws(
      () => app.get('/v1/new', () => 'x'),
      /GET \/v1\/new is not in the table of rights: add it to src\/access\/route-rights\.ts/,
    )
  }
})

test('without credentials, every route but the open ones answers 401 and says what it takes', async () => {
  const { app } = appFor({ kind: 'missing' })
  const open = []
  for (const route of await allRoutes()) {
    const answer = await app.inject(requestTo(route))
    const name = `${route.method} ${route.url}`
    if (rightOf(route.method, route.url) === 'open') {
      open.push(name)
      assert.ok(![401, 403].includes(answer.statusCode), `${name}: ${answer.statusCode}`)
      continue
    }
    assert.equal(answer.statusCode, 401, name)
    assert.equal(
      answer.headers['www-authenticate'],
      'Bearer realm="cohort: an API key as \\"Authorization: Bearer cohort_...\\", or a client certificate"',
    )
    if (route.method === 'HEAD') continue
    assert.equal(
      expectProblem(answer, 'unauthenticated').detail,
      'Send an API key as "Authorization: Bearer cohort_...", or a client certificate.',
    )
  }
  // A new open route must be added here too, on purpose.
  assert.deepEqual(
    open.filter((name) => !/ \/v1\/(docs|redoc)\b/.test(name) && !name.startsWith('HEAD')).sort(),
    ['GET /livez', 'GET /readyz', 'GET /v1/openapi.json'],
  )
})

test('each role may use the routes whose right it has, and gets 403 from every other', async () => {
  for (const role of [...ROLES, 'none'] as const) {
    const { app } = appFor({ kind: 'known', caller: caller(role) })
    for (const route of await allRoutes()) {
      const needed = rightOf(route.method, route.url)!
      const answer = await app.inject(requestTo(route))
      const isAllowed = needed === 'open' || hasRight(role, needed.right)
      const name = `${role}: ${route.method} ${route.url}: ${answer.statusCode}`
      assert.equal(answer.statusCode === 403, !isAllowed, name)
      assert.notEqual(answer.statusCode, 401, name)
    }
  }
})

test('the roles have the rights that the documents promise', () => {
  const rights = ['status', 'metrics', 'read', 'write', 'admin'] as const
  const table = ROLES.map((role) => [role, rights.filter((right) => hasRight(role, right))])
  assert.deepEqual(table, [
    ['reader', ['status', 'read']],
    ['writer', ['status', 'read', 'write']],
    ['admin', ['status', 'metrics', 'read', 'write', 'admin']],
    ['monitor', ['status', 'metrics']],
  ])
})

test('403 says which role is needed, and what the caller has', async () => {
  const { app } = appFor({ kind: 'known', caller: caller('reader', 'team-a/') })
  const answer = await app.inject({ method: 'DELETE', url: '/v1/group/team-a%2Fone' })
  assert.equal(
    expectProblem(answer, 'forbidden').detail,
    'This needs the role writer or admin; the key ci (k7Gh3abc) has the role reader for the prefix "team-a/".',
  )
})

test('a caller with a prefix reads and changes groups within it, and gets 403 for all others', async () => {
  const { app, registry } = appFor({ kind: 'known', caller: caller('admin', 'team-a/') })
  const times = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
  const stored = (groupId: string) => ({ groupId, version: 1, incarnation: 'i', ...times })
  const within = 'team-a/one'
  for (const outside of ['team-b/one', 'team-a', 'team-A/one', 'x/team-a/one']) {
    const id = encodeURIComponent(outside)
    const requests: InjectOptions[] = [
      { method: 'POST', url: '/v1/group', payload: { groupId: outside } },
      { url: `/v1/group/${id}` },
      { method: 'PATCH', url: `/v1/group/${id}`, payload: { description: 'd' } },
      { method: 'DELETE', url: `/v1/group/${id}` },
      { url: `/v1/group/${id}/replicas` },
      { method: 'POST', url: '/v1/restore', payload: { groups: [stored(within), stored(outside)] } },
      {
        method: 'POST',
        url: '/v1/groups:batch',
        payload: { create: [{ groupId: within }], delete: [{ groupId: outside }] },
      },
      {
        method: 'POST',
        url: '/v1/groups:batch',
        payload: { create: [{ groupId: within }], update: [{ groupId: outside, description: 'd' }] },
      },
      { url: `/v1/group/${id}/members` },
      { url: `/v1/group/${id}/members/alice` },
      { method: 'HEAD', url: `/v1/group/${id}/members/alice` },
      { method: 'PUT', url: `/v1/group/${id}/members/alice` },
      { method: 'DELETE', url: `/v1/group/${id}/members/alice` },
      { method: 'POST', url: `/v1/group/${id}/members:batch`, payload: { add: [{ memberId: 'alice' }] } },
    ]
    for (const request of requests) {
      const answer = await app.inject(request)
      if (request.method === 'HEAD') {
        assert.equal(answer.statusCode, 403)
        continue
      }
      assert.equal(
        expectProblem(answer, 'forbidden').detail,
        `The group ${JSON.stringify(outside)} is outside the prefix of the caller: the key ci (k7Gh3abc) has the role admin for the prefix "team-a/".`,
      )
    }
  }
  assert.deepEqual((await registry.scan({ after: undefined, limit: 10 })) as unknown, {
    kind: 'done',
    value: { groups: [], after: undefined },
  })
  const created = await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: within } })
  assert.equal(created.statusCode, 201)
  const restored = await app.inject({
    method: 'POST',
    url: '/v1/restore',
    payload: { groups: [stored('team-a/two')] },
  })
  assert.equal(restored.statusCode, 200)
  for (const path of ['team-a%2Fone', 'team-a%2Ftwo', 'team-a%2Fone/replicas']) {
    assert.equal((await app.inject(`/v1/group/${path}`)).statusCode, 200, path)
  }

  const writer = appFor({ kind: 'known', caller: caller('writer', 'team-a/') }).app
  const url = '/v1/group/team-a%2Fone'
  const done: [InjectOptions, number][] = [
    [{ method: 'POST', url: '/v1/group', payload: { groupId: within } }, 201],
    [{ method: 'PATCH', url, payload: { description: 'd' } }, 200],
    [{ url }, 200],
    [{ url: '/v1/group?prefix=team-a/' }, 200],
    [{ method: 'DELETE', url }, 200],
    [{ url }, 404],
  ]
  for (const [request, status] of done) {
    const answer = await writer.inject(request)
    assert.equal(answer.statusCode, status, `${request.method ?? 'GET'} ${request.url}: ${answer.body}`)
    if (request.url !== '/v1/group?prefix=team-a/') continue
    assert.deepEqual(
      answer.json().groups.map(({ groupId, description }: Group) => [groupId, description]),
      [[within, 'd']],
    )
  }
})

test('no way to write a path, a query or a header leads out of the prefix of a caller', async (context) => {
  const authenticator = always({ kind: 'known', caller: caller('writer', 'team-\u00e9/') })
  const { app, registry } = testApp({ authenticator })
  const door = await listen(app, context)
  const ask = (method: string, path: string, more = '') =>
    exchange(door, `${method} ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n${more}\r\n`)
  const within = '/v1/group/team-%C3%A9%2F'
  // What is below the prefix is one id, whatever it looks like: nothing resolves its dots.
  assert.equal((await ask('GET', `${within}..%2Fteam-b`)).statusCode, 404)
  for (const path of [
    '/v1/group/team-%C3%A9',
    // The same letter, of two characters: ids are compared byte for byte.
    '/v1/group/team-e%CC%81%2Fx',
    // Encoded twice.
    '/v1/group/team-%25C3%25A9%252Fx',
    '/v1/group/TEAM-%C3%A9%2Fx',
    '/v1/group/%20team-%C3%A9%2Fx',
    '/v1/group?prefix=team-%C3%A9',
    '/v1/watch?prefix=team-b%2F',
    '/v1/watch?initial=true',
    '/v1/member/alice/groups',
    '/v1/member/alice/groups?prefix=team-b%2F',
    '/v1/member/alice/groups?after=team-%C3%A9%2Fx',
  ]) {
    expectProblem(await ask('GET', path), 'forbidden')
  }
  for (const path of [
    // A parser of paths that resolves dots would go up to another route.
    '/v1/group/team-%C3%A9%2F/../team-b',
    '/v1//group/team-b',
    '/v1/group/team-%C3%A9/x',
  ]) {
    expectProblem(await ask('GET', path), 'not_found')
  }
  for (const path of [
    '/v1/group?prefix=team-%C3%A9%2F&prefix=team-b%2F',
    '/v1/group?prefix=',
    `${within}%00`,
    `${within}%0A`,
    '/v1/group?prefix[]=team-%C3%A9%2F',
    '/v1/member/alice/groups?prefix=team-b%2F&prefix=team-%C3%A9%2F',
    '/v1/watch?prefix=team-%C3%A9%2F&prefix=team-b%2F',
  ]) {
    expectProblem(await ask('GET', path), 'invalid_request')
  }
  for (const path of ['/v1/group/%', `${within}%ED%A0%80`]) {
    expectProblem(await ask('GET', path), 'invalid_path')
  }
  const tricks = [
    'x-http-method-override: GET\r\n',
    'x-original-url: /v1/group/team-%C3%A9%2Fx\r\n',
    'x-forwarded-for: 127.0.0.1\r\nforwarded: for=127.0.0.1\r\n',
  ]
  for (const trick of tricks) expectProblem(await ask('DELETE', '/v1/group/team-b', trick), 'forbidden')
  assert.equal(registry.all.length, 0)
})

test('two Authorization headers are refused: a proxy may have looked at the other one', async (context) => {
  const { app } = appFor({ kind: 'known', caller: caller('admin') })
  const door = await listen(app, context)
  const head = 'GET /v1/caller HTTP/1.1\r\nhost: x\r\nconnection: close\r\n'
  expectProblem(
    await exchange(door, `${head}authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n`),
    'invalid_http',
  )
  assert.equal((await exchange(door, `${head}authorization: Bearer a\r\n\r\n`)).statusCode, 200)
})

test('a caller with a prefix gets 403 for what concerns the whole cluster, and sees its status', async () => {
  const { app } = appFor({ kind: 'known', caller: caller('admin', 'team-a/') })
  const requests: InjectOptions[] = [
    { url: '/v1/backup' },
    { url: '/v1/backup/members' },
    { url: '/metrics' },
    { method: 'DELETE', url: '/v1/cluster/members/n1' },
    { method: 'POST', url: '/v1/cluster/members', payload: { address: '10.0.0.4:8001' } },
    { method: 'PUT', url: '/v1/cluster/members/n1', payload: { address: '10.0.0.4:8001' } },
  ]
  for (const request of requests) {
    assert.match(
      expectProblem(await app.inject(request), 'forbidden').detail ?? '',
      /needs a role without a prefix; the key ci \(k7Gh3abc\) has the role admin for the prefix "team-a\/"\.$/,
    )
  }
  assert.equal((await app.inject('/v1/cluster')).statusCode, 200)
})

test('a caller with a prefix lists groups only by a prefix within its own', async () => {
  const { app } = appFor({ kind: 'known', caller: caller('reader', 'team-a/') })
  for (const query of ['', '?prefix=team-', '?prefix=team-b/', '?prefix=TEAM-A/', '?after=team-a/x']) {
    assert.equal(
      expectProblem(await app.inject(`/v1/group${query}`), 'forbidden').detail,
      'The list needs ?prefix= within the prefix of the caller: the key ci (k7Gh3abc) has the role reader for the prefix "team-a/".',
      query,
    )
  }
  for (const query of ['?prefix=team-a/', '?prefix=team-a/x&after=team-a/x1']) {
    assert.equal((await app.inject(`/v1/group${query}`)).statusCode, 200, query)
  }
})

test('credentials that are not valid: 401 with the reason, and the error code of RFC 6750', async () => {
  const { app } = appFor({ kind: 'refused', reason: 'The API key is not valid.' })
  const answer = await app.inject('/v1/group/g')
  assert.match(
    expectProblem(answer, 'unauthenticated').detail ?? '',
    /^The API key is not valid\. Send an API key/,
  )
  assert.match(String(answer.headers['www-authenticate']), /, error="invalid_token"$/)
})

test('credentials that cannot be checked: 503 with Retry-After, and never 401', async () => {
  const { app } = appFor({ kind: 'unavailable', reason: 'too few nodes answered to check the API key' })
  const answer = await app.inject('/v1/group/g')
  const problem = expectProblem(answer, 'unavailable')
  assert.equal(problem.outcome, 'not_applied')
  assert.equal(
    problem.detail,
    'Nothing was changed, and nothing will be: too few nodes answered to check the API key.',
  )
  assert.equal(answer.headers['retry-after'], '1')
  assert.equal(answer.headers['www-authenticate'], undefined)
})

test('a request knows its caller: everyone on an open connector, else who the credentials name', async () => {
  const writer = caller('writer')
  for (const [world, expected] of [
    [testApp(), EVERYONE],
    [appFor({ kind: 'known', caller: writer }), writer],
  ] as const) {
    const seen: Caller[] = []
    world.app.addHook('preHandler', async (request) => void seen.push(request.caller))
    await world.app.inject('/v1/group/g')
    assert.deepEqual(seen, [expected])
  }
})

test('a request for an open route, or for no route, is nobody’s, and its credentials are not checked', async () => {
  const authenticator = always({ kind: 'refused', reason: 'No.' })
  const { app } = testApp({ authenticator })
  const seen: Caller[] = []
  app.addHook('onResponse', async (request) => void seen.push(request.caller))
  const statuses = [await app.inject('/livez'), await app.inject('/nope')].map(({ statusCode }) => statusCode)
  assert.deepEqual(statuses, [200, 404])
  assert.deepEqual(seen, [NOBODY, NOBODY])
  assert.equal(authenticator.count, 0)
})

test('a bug in the check of credentials is answered and logged as a bug, and says nothing of them', async () => {
  const authenticate = () => Promise.reject(new Error('a bug'))
  const { app, logged } = testApp({ authenticator: { kinds: KINDS, authenticate } })
  const headers = { authorization: 'Bearer hunter2' }
  const answer = await app.inject({ url: '/v1/group/g', headers })
  expectProblem(answer, 'internal_error')
  assert.equal(logged.length, 1)
  assert.doesNotMatch(logged.join() + answer.body, /hunter2/)
})

test('each request is authenticated once, HEAD too', async () => {
  const authenticator = always({ kind: 'known', caller: caller('reader') })
  const { app } = testApp({ authenticator })
  for (const method of ['GET', 'HEAD'] as const) await app.inject({ method, url: '/v1/group/g' })
  assert.equal(authenticator.count, 2)
})

test('a verdict that comes later is waited for, and refusals are counted for their route', async () => {
  const answers: Verdict[] = [{ kind: 'known', caller: caller('reader') }, { kind: 'missing' }]
  const { app } = testApp({ authenticator: { kinds: KINDS, authenticate: async () => answers.shift()! } })
  assert.equal((await app.inject('/v1/group/g')).statusCode, 404)
  assert.equal((await app.inject('/v1/group/g')).statusCode, 401)
})

test('the table of rights, written out a second time: the tests above take what they expect from it', () => {
  const table = Object.entries(ROUTE_RIGHTS).map(
    ([route, needed]) => `${route}: ${needed === 'open' ? 'open' : `${needed.right}, ${needed.subject}`}`,
  )
  assert.deepEqual(table.sort(), [
    'DELETE /v1/cluster/members/:nodeId: admin, everything',
    'DELETE /v1/group/:groupId/members/:memberId: write, group in path',
    'DELETE /v1/group/:groupId: write, group in path',
    'DELETE /v1/key/:keyId: admin, keys',
    'GET /livez: open',
    'GET /metrics: metrics, everything',
    'GET /readyz: open',
    'GET /v1/backup/members: admin, everything',
    'GET /v1/backup: admin, everything',
    'GET /v1/caller: status, no group',
    'GET /v1/cluster: status, no group',
    'GET /v1/docs/*: open',
    'GET /v1/docs: open',
    'GET /v1/group/:groupId/members/:memberId: read, group in path',
    'GET /v1/group/:groupId/members: read, group in path',
    'GET /v1/group/:groupId/replicas: read, group in path',
    'GET /v1/group/:groupId: read, group in path',
    'GET /v1/group: read, list',
    'GET /v1/key/:keyId: admin, keys',
    'GET /v1/key: admin, keys',
    'GET /v1/member/:memberId/groups: read, list',
    'GET /v1/openapi.json: open',
    'GET /v1/redoc/*: open',
    'GET /v1/redoc: open',
    'GET /v1/watch: read, list',
    'PATCH /v1/group/:groupId: write, group in path',
    'POST /v1/cluster/members: admin, everything',
    'POST /v1/group/:groupId/members::batch: write, group in path',
    'POST /v1/group: write, group in body',
    'POST /v1/groups::batch: write, batch in body',
    'POST /v1/key/:keyId/rotate: admin, keys',
    'POST /v1/key: admin, keys',
    'POST /v1/restore/members: admin, everything',
    'POST /v1/restore: admin, groups in body',
    'PUT /v1/cluster/members/:nodeId: admin, everything',
    'PUT /v1/group/:groupId/members/:memberId: write, group in path',
  ])
})
