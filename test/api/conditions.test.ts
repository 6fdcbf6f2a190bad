/**
 * RFC 9110 §13 (preconditions) and §15 (statuses), for each method of each route. The tables below name every
 * route that there is: a new one must be added to them.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiKey } from '../../src/access/api-key.ts'
import type { Group } from '../../src/group/group.ts'
import type { GroupMember } from '../../src/group/group-member.ts'
import { type Answer, expectProblem } from './expect.ts'
import { exchange, listen, send } from './raw-http.ts'
import { ScriptedMembers } from './scripted-members.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
const GROUP: Group = { groupId: 'g', version: 1, incarnation: 'i', ...TIMES }
const STORED = { ...GROUP, groupId: 'restored' }
const ADDRESS = { address: 'h:1' }

type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
type Route = Readonly<{ method: Method; path: string; url?: string; payload?: object; status?: number }>

const MEMBER: GroupMember = {
  memberId: 'm',
  version: 1,
  incarnation: 'i',
  addedAt: TIMES.createdAt,
  updatedAt: TIMES.createdAt,
}
const MEMBER_PATH = '/v1/group/:groupId/members/:memberId'

const KEY: ApiKey = {
  keyId: 'k7Gh3abc',
  name: 'ci',
  role: 'reader',
  hash: 'ab'.repeat(32),
  createdAt: TIMES.createdAt,
  createdBy: 'anonymous:everyone',
}

/** These routes show and change a resource with an entity tag. */
const GROUP_ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/group/:groupId', url: '/v1/group/g' },
  { method: 'HEAD', path: '/v1/group/:groupId', url: '/v1/group/g' },
  { method: 'PATCH', path: '/v1/group/:groupId', url: '/v1/group/g', payload: { description: 'd' } },
  { method: 'DELETE', path: '/v1/group/:groupId', url: '/v1/group/g' },
  { method: 'GET', path: MEMBER_PATH, url: '/v1/group/g/members/m' },
  { method: 'HEAD', path: MEMBER_PATH, url: '/v1/group/g/members/m' },
  { method: 'PUT', path: MEMBER_PATH, url: '/v1/group/g/members/m', payload: { role: 'other' } },
  { method: 'DELETE', path: MEMBER_PATH, url: '/v1/group/g/members/m' },
]

const READS = [
  ['/v1/group'],
  ['/v1/group/:groupId/replicas', '/v1/group/g/replicas'],
  ['/v1/group/:groupId/members', '/v1/group/g/members'],
  ['/v1/member/:memberId/groups', '/v1/member/m/groups'],
  ['/v1/cluster'],
  ['/v1/caller'],
  ['/v1/key'],
  ['/v1/key/:keyId', '/v1/key/k7Gh3abc'],
  ['/v1/backup'],
  ['/v1/backup/members'],
  ['/livez'],
  ['/readyz'],
  ['/metrics'],
  ['/v1/openapi.json'],
  ['/v1/docs'],
  ['/v1/docs/json'],
  ['/v1/docs/yaml'],
  ['/v1/docs/static/swagger-initializer.js'],
  ['/v1/redoc'],
  ['/v1/redoc/start.js'],
] as const

/** These routes show and change a resource that always exists and has no entity tag. */
const UNTAGGED_ROUTES: readonly Route[] = [
  ...READS.flatMap(([path, url = path]) =>
    (['GET', 'HEAD'] as const).map((method) => ({ method, path, url })),
  ),
  { method: 'POST', path: '/v1/group', payload: { groupId: 'new' }, status: 201 },
  {
    method: 'POST',
    path: '/v1/groups::batch',
    url: '/v1/groups:batch',
    payload: { create: [{ groupId: 'new' }] },
  },
  {
    method: 'POST',
    path: '/v1/group/:groupId/members::batch',
    url: '/v1/group/g/members:batch',
    payload: { add: [{ memberId: 'new' }] },
  },
  {
    method: 'POST',
    path: '/v1/restore/members',
    payload: { members: [{ groupId: 'g', ...MEMBER, memberId: 'new' }] },
  },
  { method: 'POST', path: '/v1/restore', payload: { groups: [STORED] } },
  { method: 'POST', path: '/v1/cluster/members', payload: ADDRESS, status: 202 },
  {
    method: 'PUT',
    path: '/v1/cluster/members/:nodeId',
    url: '/v1/cluster/members/n1',
    payload: ADDRESS,
    status: 202,
  },
  { method: 'DELETE', path: '/v1/cluster/members/:nodeId', url: '/v1/cluster/members/n1', status: 202 },
  { method: 'POST', path: '/v1/key', payload: { name: 'n', role: 'reader' }, status: 201 },
  { method: 'POST', path: '/v1/key/:keyId/rotate', url: '/v1/key/k7Gh3abc/rotate', payload: {} },
  { method: 'DELETE', path: '/v1/key/:keyId', url: '/v1/key/k7Gh3abc' },
]

/** Answers without an end, for which no precondition is of use. */
const STREAMS = ['GET /v1/watch'] as const

/** These routes always redirect. */
const REDIRECTS = ['/v1/docs/static/index.html'] as const

/**
 * Files of the documentation pages: `@fastify/static` gives them entity tags and dates, and judges by both.
 */
const FILE_ROUTES = [
  ['/v1/docs/static/*', '/v1/docs/static/index.css'],
  ['/v1/redoc/redoc.standalone.js', '/v1/redoc/redoc.standalone.js'],
] as const

/** `ok`: as without preconditions. */
type Verdict = 'ok' | 304 | 400 | 412
type Row = readonly [
  ifMatch: string | undefined,
  ifNoneMatch: string | undefined,
  readOfGroup: Verdict,
  changeOfGroup: Verdict,
  readOfOther: Verdict,
  changeOfOther: Verdict,
]

const ROWS: readonly Row[] = [
  [undefined, undefined, 'ok', 'ok', 'ok', 'ok'],
  // §13.1.1: * is whatever there is; tags are compared strongly.
  ['*', undefined, 'ok', 'ok', 'ok', 'ok'],
  ['"1-i"', undefined, 'ok', 'ok', 412, 412],
  ['"0-x", W/"1-i", "1-i"', undefined, 'ok', 'ok', 412, 412],
  ['W/"1-i"', undefined, 412, 412, 412, 412],
  ['"2-i"', undefined, 412, 412, 412, 412],
  ['"1-other"', undefined, 412, 412, 412, 412],
  // §5.6.1.2: empty elements are ignored, and a list may be empty.
  [',"1-i"', undefined, 'ok', 'ok', 412, 412],
  [' ,, "x" ,\t,"1-i", ,', undefined, 'ok', 'ok', 412, 412],
  [',', undefined, 412, 412, 412, 412],
  ['', undefined, 412, 412, 412, 412],
  // A field that cannot be read must not be ignored by a request that could change something.
  ['1-i', undefined, 400, 400, 400, 400],
  ['"1-i', undefined, 400, 400, 400, 400],
  ['*, "1-i"', undefined, 400, 400, 400, 400],
  [undefined, '1-i', 'ok', 400, 'ok', 400],
  [undefined, '"1-i" "2-i"', 'ok', 400, 'ok', 400],
  // §13.1.2: tags are compared weakly; a read is answered with 304, anything else with 412.
  [undefined, '*', 304, 412, 304, 412],
  [undefined, '"1-i"', 304, 412, 'ok', 'ok'],
  [undefined, 'W/"1-i"', 304, 412, 'ok', 'ok'],
  [undefined, ',"x", ,W/"1-i",', 304, 412, 'ok', 'ok'],
  [undefined, '"2-i"', 'ok', 'ok', 'ok', 'ok'],
  [undefined, ',', 'ok', 'ok', 'ok', 'ok'],
  [undefined, '', 'ok', 'ok', 'ok', 'ok'],
  // §13.2.2: If-Match first.
  ['"1-i"', '"2-i"', 'ok', 'ok', 412, 412],
  ['"2-i"', '*', 412, 412, 412, 412],
  ['"1-i"', '"1-i"', 304, 412, 412, 412],
  ['*', '*', 304, 412, 304, 412],
  ['nonsense', '*', 400, 400, 400, 400],
]

const PAST = 'Wed, 01 Jan 2020 00:00:00 GMT'
const FUTURE = 'Wed, 01 Jan 2200 00:00:00 GMT'

/** Nothing has a modification date or ranges: §13.1.3, §13.1.4, §13.1.5 and §14.2 have these ignored. */
const IGNORED: readonly Readonly<Record<string, string>>[] = [
  { 'if-modified-since': FUTURE },
  { 'if-modified-since': PAST },
  { 'if-unmodified-since': PAST },
  { 'if-unmodified-since': 'nonsense' },
  { range: 'bytes=0-0' },
  { range: 'bytes=99999999-' },
  { range: 'bytes=0-0', 'if-range': '"1-i"' },
  { 'if-none-match': '"2-i"', 'if-modified-since': FUTURE },
  { 'if-match': '*', 'if-unmodified-since': PAST },
]

/** Each answer of these routes takes ten milliseconds to make. The same code judges them as all others. */
const SLOW: readonly string[] = ['/v1/openapi.json', '/v1/docs/json', '/v1/docs/yaml']

/** All rows; for a slow route, which has no entity tag, the first one of each verdict. */
function rowsOf({ path }: Route): readonly Row[] {
  return SLOW.includes(path)
    ? [...Map.groupBy(ROWS, ([, , , , read]) => read).values()].map(([row]) => row!)
    : ROWS
}

type World = TestApp & Readonly<{ members: ScriptedMembers }>

function aWorld(): World {
  const members = new ScriptedMembers()
  return { ...testApp({ engine: { members } }), members }
}

/**
 * Sends a request while only the group `g` exists, with the member `m`, and one API key, and returns whether
 * it has changed anything.
 */
async function ask(
  { app, registry, members, groupMembers, keys }: World,
  { method, path, url = path, payload }: Route,
  headers: Readonly<Record<string, string>>,
): Promise<{ answer: Answer; hasChanged: boolean }> {
  for (const [groupId, group] of [
    ['g', GROUP],
    ['new', undefined],
    ['restored', undefined],
  ] as const) {
    await registry.change(groupId, () => ({ kind: 'changed', group, answer: GROUP }))
  }
  for (const [memberId, member] of [
    ['m', MEMBER],
    ['new', undefined],
  ] as const) {
    const decision = { kind: 'changed', answer: MEMBER } as const
    await groupMembers.put('g', memberId, () => ({ decision, next: { member } }))
  }
  members.asked.length = 0
  keys.reset(KEY)
  const keysBefore = keys.text
  const answer = await app.inject({
    method,
    url,
    headers: { ...headers },
    ...(payload === undefined ? {} : { payload }),
  })
  const outcome = await registry.scan({ after: undefined, limit: 10 })
  assert.equal(outcome.kind, 'done')
  const groups = outcome.kind === 'done' ? outcome.value.groups : []
  const isSame = groups.length === 1 && groups[0] === GROUP
  const listed = await groupMembers.list('g', { after: undefined, limit: 10, role: undefined })
  const found = (listed.kind === 'done' && listed.value.members) || []
  const hasSameMembers = found.length === 1 && found[0] === MEMBER
  const hasSameKeys = keys.text === keysBefore
  return { answer, hasChanged: !isSame || !hasSameMembers || !hasSameKeys || members.asked.length > 0 }
}

function isRead({ method }: Route): boolean {
  return method === 'GET' || method === 'HEAD'
}

function named(ifMatch: string | undefined, ifNoneMatch: string | undefined): Record<string, string> {
  return {
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
    ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }),
  }
}

test('the tables name every route that there is, and no other', async () => {
  const { app } = testApp()
  const routes: string[] = []
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(...[method].flat().map((name) => `${name} ${url}`))
  })
  await app.ready()
  const inTables = [...GROUP_ROUTES, ...UNTAGGED_ROUTES].map(({ method, path }) => `${method} ${path}`)
  const files = [...FILE_ROUTES.map(([path]) => path), ...REDIRECTS].flatMap((path) => [
    `GET ${path}`,
    `HEAD ${path}`,
  ])
  assert.deepEqual([...new Set(routes)].sort(), [...inTables, ...files, ...STREAMS].sort())
})

for (const [routes, columns] of [
  [GROUP_ROUTES, { read: 2, change: 3 }],
  [UNTAGGED_ROUTES, { read: 4, change: 5 }],
] as const) {
  const kind = routes === GROUP_ROUTES ? 'a group' : 'what has no entity tag'
  test(`preconditions on ${kind}: done, 304, 400 or 412, and nothing is changed by the last three`, async () => {
    const world = aWorld()
    for (const route of routes) {
      for (const row of rowsOf(route)) {
        const [ifMatch, ifNoneMatch] = row
        const verdict = row[isRead(route) ? columns.read : columns.change] as Verdict
        const { answer, hasChanged } = await ask(world, route, named(ifMatch, ifNoneMatch))
        const name = `${route.method} ${route.path} ${JSON.stringify([ifMatch, ifNoneMatch])}: ${answer.body.slice(0, 200)}`
        const { status = 200 } = route
        assert.equal(answer.statusCode, verdict === 'ok' ? status : verdict, name)
        assert.equal(hasChanged, verdict === 'ok' && !isRead(route), name)
        if (verdict === 304 || route.method === 'HEAD') assert.equal(answer.body, '', name)
        if (verdict === 304) assert.equal(answer.headers['content-length'], undefined, name)
        if ((verdict === 412 || verdict === 400) && route.method !== 'HEAD') {
          const { code } = expectProblem(answer)
          const isOfGroup = routes === GROUP_ROUTES && ifMatch !== undefined && !/^("1-i"|\*)$/.test(ifMatch)
          const broken = isOfGroup ? 'version_mismatch' : 'precondition_failed'
          assert.equal(code, verdict === 400 ? 'invalid_request' : broken, name)
        }
      }
    }
  })
}

test('dates and ranges are ignored on every route', async () => {
  const world = aWorld()
  for (const route of [...GROUP_ROUTES, ...UNTAGGED_ROUTES]) {
    for (const headers of SLOW.includes(route.path) ? IGNORED.slice(0, 5) : IGNORED) {
      const { answer } = await ask(world, route, headers)
      const { status = 200 } = route
      assert.equal(answer.statusCode, status, `${route.method} ${route.path} ${JSON.stringify(headers)}`)
    }
  }
})

test('a 304 has the headers that a cache needs of the 200 (§15.4.5)', async () => {
  const world = aWorld()
  for (const method of ['GET', 'HEAD'] as const) {
    const route = { method, path: '/v1/group/g' }
    const { answer: full } = await ask(world, route, {})
    const { answer } = await ask(world, route, { 'if-none-match': '"1-i"' })
    for (const name of ['etag', 'cache-control']) assert.equal(answer.headers[name], full.headers[name], name)
    assert.equal(answer.headers['content-type'], undefined)
  }
})

test('HEAD has the status and the headers of GET (§9.3.2)', async () => {
  const world = aWorld()
  for (const route of [...GROUP_ROUTES, ...UNTAGGED_ROUTES].filter(({ method }) => method === 'GET')) {
    for (const [ifMatch, ifNoneMatch] of rowsOf(route)) {
      const headers = { ...named(ifMatch, ifNoneMatch), 'x-request-id': 'same' }
      const [get, head] = [
        await ask(world, route, headers),
        await ask(world, { ...route, method: 'HEAD' }, headers),
      ]
      const [{ date: _date, ...ofGet }, { date: _other, ...ofHead }] = [
        get.answer.headers,
        head.answer.headers,
      ]
      // The figures change from one answer to the next, and their length with them.
      if (route.path === '/metrics') delete ofGet['content-length']
      if (route.path === '/metrics') delete ofHead['content-length']
      const name = `${route.path} ${JSON.stringify([ifMatch, ifNoneMatch])}`
      assert.equal(head.answer.statusCode, get.answer.statusCode, name)
      assert.deepEqual(ofHead, ofGet, name)
    }
  }
})

test('preconditions change nothing about a request that would fail without them (§13.2.1)', async () => {
  const world = aWorld()
  const { app, registry } = world
  const failing = async (): Promise<readonly [string, Answer][]> =>
    Promise.all(
      PRECONDITIONS.flatMap((headers) => [
        ...FAILURES.map(
          async ([name, request]) =>
            [name, await app.inject({ ...request, headers: { ...request.headers, ...headers } })] as [
              string,
              Answer,
            ],
        ),
      ]),
    )
  for (const [name, answer] of await failing()) {
    const expected = FAILURES.find(([other]) => other === name)![2]
    assert.equal(answer.statusCode, expected, `${name}: ${answer.body}`)
  }
  registry.failWith({ kind: 'not_applied', reason: 'too few nodes answered in time' })
  for (const headers of PRECONDITIONS) {
    for (const url of ['/v1/group', '/v1/group/g', '/v1/backup']) {
      expectProblem(await app.inject({ url, headers }), 'unavailable')
    }
  }
  const unready = testApp({ engine: { readiness: { isReady: () => false } } })
  for (const headers of PRECONDITIONS) {
    expectProblem(await unready.app.inject({ url: '/readyz', headers }), 'not_ready')
  }
})

const PRECONDITIONS = [
  { 'if-none-match': '*' },
  { 'if-match': '"x"' },
  { 'if-match': '"x"', 'if-none-match': '*' },
]

const JSON_TYPE = { 'content-type': 'application/json' }
const FAILURES: readonly (readonly [
  string,
  Readonly<{
    method: Method | 'OPTIONS'
    url: string
    headers?: Record<string, string>
    payload?: object | string
  }>,
  number,
])[] = [
  ['a redirect', { method: 'GET', url: REDIRECTS[0] }, 302],
  ['no such path', { method: 'GET', url: '/nope' }, 404],
  ['no such method', { method: 'DELETE', url: '/v1/group' }, 405],
  ['OPTIONS', { method: 'OPTIONS', url: '/v1/group/g' }, 405],
  ['a bad query', { method: 'GET', url: '/v1/group?limit=0' }, 400],
  ['a bad id', { method: 'DELETE', url: '/v1/group/%00' }, 400],
  ['a bad body', { method: 'POST', url: '/v1/group', payload: {} }, 400],
  ['no JSON', { method: 'PATCH', url: '/v1/group/g', headers: JSON_TYPE, payload: '{' }, 400],
  [
    'another type',
    { method: 'POST', url: '/v1/restore', headers: { 'content-type': 'a/b' }, payload: 'x' },
    415,
  ],
  ['no such group, read', { method: 'GET', url: '/v1/group/none' }, 404],
  ['no such group, changed', { method: 'PATCH', url: '/v1/group/none', payload: {} }, 404],
  ['no such group, deleted', { method: 'DELETE', url: '/v1/group/none' }, 404],
]

test('files of the documentation pages are judged by their own tags, and served whole', async () => {
  const { app } = testApp()
  for (const [, url] of FILE_ROUTES) {
    const full = await app.inject(url)
    const etag = String(full.headers.etag)
    for (const [headers, status] of [
      [{ 'if-none-match': etag }, 304],
      [{ 'if-none-match': '*' }, 304],
      [{ 'if-none-match': '"x"' }, 200],
      [{ 'if-match': '"x"' }, 412],
      [{ 'if-match': '*' }, 200],
      [{ 'if-unmodified-since': PAST }, 412],
      [{ 'if-modified-since': FUTURE }, 304],
      [{ range: 'bytes=0-9' }, 200],
      [{ range: 'bytes=999999999-' }, 200],
    ] as const) {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await app.inject({ method, url, headers })
        assert.equal(answer.statusCode, status, `${url} ${JSON.stringify(headers)}`)
        if (status === 200 && method === 'GET') assert.equal(answer.body.length, full.body.length)
        if (status === 412 && method === 'GET') expectProblem(answer, 'precondition_failed')
      }
    }
  }
})

test('an answer that is a stream is not left open when a precondition ends it', async () => {
  const { app } = testApp()
  const { Readable } = await import('node:stream')
  const streams: InstanceType<typeof Readable>[] = []
  app.get('/v1/docs/stream', async () => {
    const stream = new Readable({ read() {} })
    streams.push(stream)
    return stream
  })
  for (const method of ['GET', 'HEAD'] as const) {
    const answer = await app.inject({ method, url: '/v1/docs/stream', headers: { 'if-none-match': '*' } })
    assert.equal(answer.statusCode, 304)
  }
  assert.deepEqual(
    streams.map(({ destroyed }) => destroyed),
    [true, true],
  )
})

test('every method on every path: what there is, 405 with Allow (§15.5.6), or 501 for methods unknown everywhere (§15.6.2)', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  const routes = [
    ...GROUP_ROUTES,
    ...UNTAGGED_ROUTES,
    ...FILE_ROUTES.flatMap(([path, url]) =>
      (['GET', 'HEAD'] as const).map((method) => ({ method, path, url })),
    ),
  ]
  const methodsOf = new Map<string, Set<string>>()
  for (const { method, path, url = path } of routes) {
    methodsOf.set(url, (methodsOf.get(url) ?? new Set()).add(method))
  }
  for (const [url, known] of methodsOf) {
    const allow = [...known].sort().join(', ')
    for (const method of [
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'PROPFIND',
      'QUERY',
    ]) {
      if (known.has(method)) continue
      const answer = await send(door, method, url)
      const name = `${method} ${url}`
      assert.equal(answer.statusCode, 405, name)
      assert.equal(answer.headers.allow, allow, name)
      if (method !== 'HEAD') expectProblem(answer, 'method_not_allowed')
    }
    for (const method of ['CONNECT', 'NONESUCH', 'get', 'M-POST']) {
      const answer = await send(door, method, url)
      assert.equal(answer.headers.connection, 'close')
      expectProblem(answer, 'method_not_implemented')
    }
  }
})

test('CONNECT to a host and port, and OPTIONS *, are answered too', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  expectProblem(await send(door, 'CONNECT', 'example.org:443'), 'method_not_implemented')
  const answer = await send(door, 'OPTIONS', '*')
  expectProblem(answer, 'method_not_allowed')
  assert.equal(answer.headers.allow, 'DELETE, GET, HEAD, PATCH, POST, PUT')
  expectProblem(await send(door, 'GET', '*'), 'not_found')
})

test('DELETE takes any body and any Content-Type, and does the same', async (context) => {
  const members = new ScriptedMembers()
  const world = testApp({ engine: { members } })
  const door = await listen(world.app, context)
  const types = [
    '',
    'application/json',
    'text/plain',
    'x',
    '/',
    ';',
    'a/b; c',
    'multipart/form-data',
    '"',
    ', ',
  ]
  for (const [path, status] of [
    ['/v1/group/g', 200],
    ['/v1/cluster/members/n1', 202],
  ] as const) {
    for (const type of types) {
      for (const body of [
        '',
        'content-length: 0\r\n\r\n',
        'content-length: 1\r\n\r\n{',
        'transfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      ]) {
        await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'g' } })
        const head = `DELETE ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: ${type}\r\n`
        const answer = await exchange(door, `${head}${body === '' ? '\r\n' : body}`)
        assert.equal(answer.statusCode, status, `${path} ${JSON.stringify([type, body])} ${answer.body}`)
      }
    }
  }
  assert.equal(members.asked.length, types.length * 4)
})
