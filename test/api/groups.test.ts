import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectProblem, fieldsOf } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIME = '2026-01-01T00:00:00.000Z'
const SHOWN = {
  groupId: 'g',
  version: 1,
  createdAt: TIME,
  updatedAt: TIME,
  updatedBy: 'anonymous:everyone',
}

/** A group without the id of the request that has made it: test/api/audit.test.ts looks at that. */
function withoutRequest({ requestId, ...group }: { requestId: string }): object {
  assert.match(requestId, /^[0-9a-f]{12}-/)
  return group
}

test('POST creates a group: 201 with the group, Location and ETag', async () => {
  const { app } = testApp()
  const payload = { groupId: 'a/b c', description: 'd', labels: { team: 'core' } }
  const answer = await app.inject({ method: 'POST', url: '/v1/group', payload })
  assert.equal(answer.statusCode, 201)
  assert.match(String(answer.headers['content-type']), /^application\/json\b/)
  assert.equal(answer.headers.location, '/v1/group/a%2Fb%20c')
  assert.equal(answer.headers.etag, '"1-i1"')
  assert.deepEqual(withoutRequest(answer.json()), { ...SHOWN, ...payload })
  const read = await app.inject(String(answer.headers.location))
  assert.deepEqual(read.json(), answer.json())
})

test('POST of an id that is taken: 409 group_exists', async () => {
  const world = await worldWithGroup()
  expectProblem(await create(world, { groupId: 'g' }), 'group_exists')
})

test('an id that was deleted can be taken again, and its ETag is another', async () => {
  const world = await worldWithGroup()
  await world.app.inject({ method: 'DELETE', url: '/v1/group/g' })
  const answer = await create(world, { groupId: 'g' })
  assert.equal(answer.statusCode, 201)
  assert.equal(answer.json().version, 1)
  assert.notEqual(answer.headers.etag, '"1-i1"')
})

test('GET shows the group and its ETag, and no incarnation', async () => {
  const { app } = await worldWithGroup()
  const answer = await app.inject('/v1/group/g')
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(withoutRequest(answer.json()), SHOWN)
  assert.equal(answer.headers.etag, '"1-i1"')
  assert.equal(answer.headers['cache-control'], 'no-cache')
})

test('HEAD is GET without the body', async () => {
  const { app } = await worldWithGroup()
  const get = await app.inject('/v1/group/g')
  const head = await app.inject({ method: 'HEAD', url: '/v1/group/g' })
  assert.equal(head.statusCode, 200)
  assert.equal(head.body, '')
  for (const name of ['etag', 'content-length', 'content-type', 'cache-control']) {
    assert.equal(head.headers[name], get.headers[name], name)
  }
  assert.equal((await app.inject({ method: 'HEAD', url: '/v1/group/none' })).statusCode, 404)
})

test('GET, DELETE and PATCH of a group that is not there: 404 group_not_found', async () => {
  const { app } = testApp()
  expectProblem(await app.inject('/v1/group/none'), 'group_not_found')
  expectProblem(await app.inject({ method: 'DELETE', url: '/v1/group/none' }), 'group_not_found')
  expectProblem(
    await app.inject({ method: 'PATCH', url: '/v1/group/none', payload: { labels: {} } }),
    'group_not_found',
  )
  const headers = { 'if-match': '"1-x"' }
  expectProblem(await app.inject({ method: 'DELETE', url: '/v1/group/none', headers }), 'group_not_found')
})

test('GET with If-None-Match: 304 for what is known, by weak comparison; else 200', async () => {
  const { app } = await worldWithGroup()
  for (const known of ['"1-i1"', 'W/"1-i1"', '*', '"x", "1-i1"']) {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await app.inject({ method, url: '/v1/group/g', headers: { 'if-none-match': known } })
      assert.equal(answer.statusCode, 304, known)
      assert.equal(answer.body, '')
      assert.equal(answer.headers.etag, '"1-i1"')
      assert.ok(answer.headers['x-request-id'])
    }
  }
  for (const other of ['"2-i1"', '"1-i2"', '1-i1', 'nonsense']) {
    const answer = await app.inject({ url: '/v1/group/g', headers: { 'if-none-match': other } })
    assert.equal(answer.statusCode, 200, other)
  }
  expectProblem(
    await app.inject({ url: '/v1/group/none', headers: { 'if-none-match': '*' } }),
    'group_not_found',
  )
})

test('DELETE answers with the group that was, and it is gone', async () => {
  const { app } = await worldWithGroup()
  const answer = await app.inject({ method: 'DELETE', url: '/v1/group/g' })
  assert.equal(answer.statusCode, 200)
  assert.deepEqual(withoutRequest(answer.json()), SHOWN)
  expectProblem(await app.inject('/v1/group/g'), 'group_not_found')
})

test('DELETE ignores a body and its type', async () => {
  const cases = [
    { headers: { 'content-type': 'application/json' } },
    { headers: { 'content-type': 'application/json' }, payload: '{' },
    { headers: { 'content-type': 'text/plain' }, payload: 'x' },
    { payload: Buffer.from('x') },
  ]
  for (const request of cases) {
    const { app } = await worldWithGroup()
    const answer = await app.inject({ method: 'DELETE', url: '/v1/group/g', ...request })
    assert.equal(answer.statusCode, 200, JSON.stringify(request))
  }
})

test('a wrong If-Match: 412 version_mismatch, and nothing is changed', async () => {
  const { app } = await worldWithGroup()
  for (const wrong of ['"2-i1"', '"1-i2"', 'W/"1-i1"', '"x", "y"']) {
    const headers = { 'if-match': wrong }
    const deletion = await app.inject({ method: 'DELETE', url: '/v1/group/g', headers })
    expectProblem(deletion, 'version_mismatch')
    const payload = { description: 'new' }
    const update = await app.inject({ method: 'PATCH', url: '/v1/group/g', headers, payload })
    expectProblem(update, 'version_mismatch')
  }
  assert.deepEqual(withoutRequest((await app.inject('/v1/group/g')).json()), SHOWN)
})

test('the right If-Match, * and a list that has it are let through', async () => {
  for (const right of ['"1-i1"', '*', '"0-x", W/"1-i1", "1-i1"']) {
    const { app } = await worldWithGroup()
    const headers = { 'if-match': right }
    assert.equal((await app.inject({ method: 'DELETE', url: '/v1/group/g', headers })).statusCode, 200, right)
  }
})

test('an If-Match that cannot be read is refused, not ignored', async () => {
  const { app } = await worldWithGroup()
  for (const unreadable of ['1-i1', '"', '*, "1-i1"']) {
    const headers = { 'if-match': unreadable }
    const problem = expectProblem(
      await app.inject({ method: 'DELETE', url: '/v1/group/g', headers }),
      'invalid_request',
    )
    assert.deepEqual(fieldsOf(problem), ['If-Match'])
  }
})

test('PATCH merges, as application/merge-patch+json and as application/json', async () => {
  for (const type of [
    'application/merge-patch+json',
    'application/json',
    'application/json; charset=utf-8',
  ]) {
    const world = testApp()
    await create(world, { groupId: 'g', description: 'old', labels: { a: '1', b: '2' } })
    const answer = await world.app.inject({
      method: 'PATCH',
      url: '/v1/group/g',
      headers: { 'content-type': type },
      payload: JSON.stringify({ description: null, labels: { a: null, c: '3' } }),
    })
    assert.equal(answer.statusCode, 200, type)
    assert.deepEqual(withoutRequest(answer.json()), { ...SHOWN, labels: { b: '2', c: '3' }, version: 2 })
    assert.equal(answer.headers.etag, '"2-i1"')
  }
})

test('labels: null removes all labels; the last label takes the member with it', async () => {
  for (const labels of [null, { a: null, b: null }]) {
    const world = testApp()
    await create(world, { groupId: 'g', labels: { a: '1', b: '2' } })
    const answer = await world.app.inject({ method: 'PATCH', url: '/v1/group/g', payload: { labels } })
    assert.deepEqual(withoutRequest(answer.json()), { ...SHOWN, version: 2 })
  }
})

test('a patch that changes nothing keeps the version and the ETag', async () => {
  const world = testApp()
  const created = await create(world, { groupId: 'g', description: 'd', labels: { a: '1' } })
  for (const payload of [{}, { description: 'd' }, { labels: {} }, { labels: { a: '1', none: null } }]) {
    const answer = await world.app.inject({ method: 'PATCH', url: '/v1/group/g', payload })
    assert.equal(answer.statusCode, 200)
    assert.deepEqual(answer.json(), created.json())
    assert.equal(answer.headers.etag, created.headers.etag)
  }
})

test('a trailing slash means the same', async () => {
  const world = testApp()
  const created = await world.app.inject({ method: 'POST', url: '/v1/group/', payload: { groupId: 'g' } })
  assert.equal(created.statusCode, 201)
  for (const path of ['/v1/group/g/', '/livez/', '/readyz/', '/v1/cluster/', '/v1/docs/', '/v1/redoc/']) {
    assert.equal((await world.app.inject(path)).statusCode, 200, path)
  }
  assert.equal((await world.app.inject('/v1/openapi.json/')).statusCode, 200)
  assert.equal((await world.app.inject({ method: 'DELETE', url: '/v1/group/g/' })).statusCode, 200)
})

test('ids are compared byte for byte', async () => {
  const world = testApp()
  for (const groupId of ['é', 'e\u0301', 'G', 'g', 'g ', ' g']) {
    assert.equal((await create(world, { groupId })).statusCode, 201, JSON.stringify(groupId))
  }
})

test('a label may be named like a part of a JavaScript object', async () => {
  const world = testApp()
  const payload = '{"groupId":"g","labels":{"__proto__":"a","constructor":"b","toString":"c"}}'
  const headers = { 'content-type': 'application/json' }
  const created = await world.app.inject({ method: 'POST', url: '/v1/group', headers, payload })
  assert.equal(created.statusCode, 201)
  assert.match(created.body, /"labels":\{"__proto__":"a","constructor":"b","toString":"c"\}/)
  const patched = await world.app.inject({
    method: 'PATCH',
    url: '/v1/group/g',
    headers,
    payload: '{"labels":{"__proto__":"d","constructor":null}}',
  })
  assert.match(patched.body, /"labels":\{"__proto__":"d","toString":"c"\}/)
})

test('of a member given twice, the last counts', async () => {
  const headers = { 'content-type': 'application/json' }
  const payload = '{"groupId":"first","groupId":"last"}'
  const answer = await testApp().app.inject({ method: 'POST', url: '/v1/group', headers, payload })
  assert.equal(answer.json().groupId, 'last')
})

test('the largest group is taken', async () => {
  const groupId = '🦊'.repeat(256)
  const labels = Object.fromEntries(
    Array.from({ length: 64 }, (_, index) => [`${index}`.padEnd(63, 'k'), 'é'.repeat(256)]),
  )
  const world = testApp()
  const created = await create(world, { groupId, description: '🦊'.repeat(1_024), labels })
  assert.equal(created.statusCode, 201, created.body)
  assert.equal((await world.app.inject(String(created.headers.location))).body, created.body)
})

test('GET /v1/group lists groups in pages, in the order of their ids', async () => {
  const world = testApp()
  for (const groupId of ['b', 'a', 'é', 'c']) await create(world, { groupId })
  const first = (await world.app.inject('/v1/group?limit=3')).json()
  assert.deepEqual(
    first.groups.map(({ groupId }: { groupId: string }) => groupId),
    ['a', 'b', 'c'],
  )
  assert.equal(first.after, 'c')
  const second = (await world.app.inject('/v1/group?limit=3&after=c')).json()
  assert.deepEqual({ groups: second.groups.map(withoutRequest) }, { groups: [{ ...SHOWN, groupId: 'é' }] })
  for (const limit of ['0', '1001', 'x']) {
    const problem = (await world.app.inject(`/v1/group?limit=${limit}`)).json()
    assert.deepEqual(problem.errors, [{ field: 'limit', message: 'must be a whole number from 1 to 1000' }])
  }
  const twice = (await world.app.inject('/v1/group?limit=1&limit=2')).json()
  assert.deepEqual(twice.errors, [{ field: 'limit', message: 'must be given once' }])
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1&limit=2',
    'after=',
    'after=%00',
    'offset=1',
  ]) {
    expectProblem(await world.app.inject(`/v1/group?${query}`), 'invalid_request')
  }
})

test('GET /v1/group lists the groups of a prefix, page by page', async () => {
  const world = testApp()
  const ids = ['a', 'b', 'b/', 'b/1', 'b/2', 'b/é', 'b/\u{10ffff}', 'b0', 'c']
  for (const groupId of ids) await create(world, { groupId })
  for (const prefix of ['b/', 'b', 'a', 'x', '\u{10ffff}']) {
    const expected = ids.filter((id) => id.startsWith(prefix))
    for (const limit of ['1', '2', '1000'])
      assert.deepEqual(await listed(world, { prefix, limit }), expected, prefix)
  }
  // A page that starts before or after the prefix.
  assert.deepEqual(await listed(world, { prefix: 'b/', after: 'a' }), ids.slice(2, 7))
  assert.deepEqual(await listed(world, { prefix: 'b/', after: 'b/1' }), ids.slice(4, 7))
  assert.deepEqual(await listed(world, { prefix: 'b/', after: 'b0' }), [])
})

test('GET /v1/group lists the groups with labels, and says where a selector is wrong', async () => {
  const world = testApp()
  await create(world, { groupId: 'a', labels: { team: 'core', env: 'prod' } })
  await create(world, { groupId: 'b', labels: { team: 'core', env: 'test' } })
  await create(world, { groupId: 'c' })
  for (const [labels, expected] of [
    ['team=core', ['a', 'b']],
    ['team=core, env in (prod, stage)', ['a']],
    ['!team', ['c']],
    ['', ['a', 'b', 'c']],
  ] as const) {
    for (const limit of ['1', '1000']) assert.deepEqual(await listed(world, { labels, limit }), expected)
  }
  assert.deepEqual(await listed(world, { labels: 'team', prefix: 'b' }), ['b'])
  const { errors = [] } = expectProblem(await world.app.inject('/v1/group?labels=a%3Eb'), 'invalid_request')
  assert.equal(errors[0]?.field, 'labels')
  assert.match(
    errors[0]!.message,
    /^must be a label selector, .* at character 2 it has ">" instead of a comma$/,
  )
})

test('GET /v1/group?fields=groupId has the ids alone', async () => {
  const world = testApp()
  for (const groupId of ['a', 'b']) await create(world, { groupId })
  const { body } = await world.app.inject('/v1/group?fields=groupId&limit=1')
  assert.equal(body, '{"groups":[],"groupIds":["a"],"after":"a"}')
  const { errors } = expectProblem(await world.app.inject('/v1/group?fields=version'), 'invalid_request')
  assert.deepEqual(errors, [{ field: 'fields', message: 'must be groupId' }])
})

test('the header Link leads to the next page with the same query, also for HEAD, and is not on the last one', async () => {
  const world = testApp()
  for (const groupId of ['a&b', 'a b', 'a"<é>']) await create(world, { groupId, labels: { team: 'core' } })
  const query = new URLSearchParams({ limit: '2', labels: 'team in (core, edge)', prefix: 'a' })
  for (const method of ['GET', 'HEAD'] as const) {
    const first = await world.app.inject({ method, url: `/v1/group?${query}` })
    const [, path] = /^<([!-~]+)>; rel="next"$/.exec(String(first.headers.link)) ?? []
    assert.ok(path !== undefined, String(first.headers.link))
    const second = await world.app.inject(path)
    assert.deepEqual(
      second.json().groups.map(({ groupId }: { groupId: string }) => groupId),
      ['a&b'],
    )
    assert.equal(second.headers.link, undefined)
  }
})

/** The ids of all pages of a list. */
async function listed({ app }: TestApp, query: Readonly<{ [name: string]: string }>): Promise<string[]> {
  const ids: string[] = []
  let next: string | undefined = `/v1/group?${new URLSearchParams(query)}`
  while (next !== undefined) {
    const answer: Awaited<ReturnType<typeof app.inject>> = await app.inject(next)
    assert.equal(answer.statusCode, 200, answer.body)
    ids.push(...answer.json().groups.map(({ groupId }: { groupId: string }) => groupId))
    next = /<(.*)>/.exec(String(answer.headers.link))?.[1]
  }
  return ids
}

function create({ app }: TestApp, payload: object) {
  return app.inject({ method: 'POST', url: '/v1/group', payload })
}

/** With the group `g`, at version 1 of the incarnation `i1`. */
async function worldWithGroup(): Promise<TestApp> {
  const world = testApp()
  assert.equal((await create(world, { groupId: 'g' })).statusCode, 201)
  return world
}
