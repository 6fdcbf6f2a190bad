import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions } from 'fastify'
import { expectProblem, fieldsOf } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIME = '2026-01-01T00:00:00.000Z'
const ALICE = { groupId: 'g', memberId: 'alice', version: 1, addedAt: TIME, updatedAt: TIME }

/** A member as it was shown, without its author (audit.test.ts). */
function withoutAuthor(shown: Readonly<Record<string, unknown>>): object {
  const { updatedBy, requestId, ...rest } = shown
  assert.ok(typeof updatedBy === 'string' && typeof requestId === 'string')
  return rest
}

async function worldWithGroup(groupId = 'g'): Promise<TestApp> {
  const world = testApp()
  await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } })
  return world
}

function put({ app }: TestApp, member: string, options: Partial<InjectOptions> = {}) {
  return app.inject({ method: 'PUT', url: `/v1/group/g/members/${member}`, ...options })
}

test('PUT adds a member: 201 with the member and its ETag, and then 200', async () => {
  const world = await worldWithGroup()
  const added = await put(world, 'alice', { payload: { role: 'owner' } })
  assert.equal(added.statusCode, 201)
  assert.deepEqual(withoutAuthor(added.json()), { ...ALICE, role: 'owner' })
  assert.equal(added.headers.etag, '"1-i2"')
  const again = await put(world, 'alice', { payload: { role: 'owner' } })
  assert.equal(again.statusCode, 200)
  assert.equal(again.headers.etag, '"1-i2"')
  const changed = await put(world, 'alice', { payload: {} })
  assert.equal(changed.statusCode, 200)
  assert.deepEqual(withoutAuthor(changed.json()), { ...ALICE, version: 2 })
  assert.equal(changed.headers.etag, '"2-i2"')
})

test('PUT needs no body', async () => {
  const world = await worldWithGroup()
  const added = await put(world, 'alice')
  assert.equal(added.statusCode, 201)
  assert.deepEqual(withoutAuthor(added.json()), ALICE)
})

test('GET says whether somebody is in a group, and tells a missing member from a missing group', async () => {
  const world = await worldWithGroup()
  const check = (url: string, headers = {}) => world.app.inject({ url, headers })
  expectProblem(await check('/v1/group/g/members/alice'), 'group_member_not_found')
  expectProblem(await check('/v1/group/none/members/alice'), 'group_not_found')
  await put(world, 'alice')
  const found = await check('/v1/group/g/members/alice')
  assert.deepEqual([found.statusCode, withoutAuthor(found.json())], [200, ALICE])
  assert.equal(found.headers['cache-control'], 'no-cache')
  const known = await check('/v1/group/g/members/alice', { 'if-none-match': String(found.headers.etag) })
  assert.equal(known.statusCode, 304)
  const head = await world.app.inject({ method: 'HEAD', url: '/v1/group/g/members/alice' })
  assert.deepEqual([head.statusCode, head.body], [200, ''])
})

test('a group that is deleted has no members, also after it was created or restored again', async () => {
  const world = await worldWithGroup()
  const { groups } = (await world.app.inject('/v1/backup')).json()
  await put(world, 'alice')
  const again = [
    { url: '/v1/group', payload: { groupId: 'g' } },
    { url: '/v1/restore', payload: { groups } },
  ]
  for (const request of again) {
    await world.app.inject({ method: 'DELETE', url: '/v1/group/g' })
    expectProblem(await world.app.inject('/v1/group/g/members/alice'), 'group_not_found')
    await world.app.inject({ method: 'POST', ...request })
    expectProblem(await world.app.inject('/v1/group/g/members/alice'), 'group_member_not_found')
    assert.equal((await put(world, 'alice')).statusCode, 201)
  }
})

test('DELETE answers with the member that was, and it is gone', async () => {
  const world = await worldWithGroup()
  await put(world, 'alice')
  const remove = (url: string) => world.app.inject({ method: 'DELETE', url })
  const removed = await remove('/v1/group/g/members/alice')
  assert.deepEqual([removed.statusCode, withoutAuthor(removed.json())], [200, ALICE])
  expectProblem(await remove('/v1/group/g/members/alice'), 'group_member_not_found')
  expectProblem(await remove('/v1/group/none/members/alice'), 'group_not_found')
  expectProblem(await world.app.inject('/v1/group/g/members/alice'), 'group_member_not_found')
})

test('preconditions are about the member, and a PUT with If-None-Match: * only adds', async () => {
  const world = await worldWithGroup()
  const headers = { 'if-none-match': '*' }
  assert.equal((await put(world, 'alice', { headers })).statusCode, 201)
  expectProblem(await put(world, 'alice', { headers, payload: { role: 'owner' } }), 'precondition_failed')
  expectProblem(await put(world, 'bob', { headers: { 'if-match': '*' } }), 'version_mismatch')
  const stale = { 'if-match': '"9-x"' }
  expectProblem(await put(world, 'alice', { headers: stale }), 'version_mismatch')
  const remove = { method: 'DELETE', url: '/v1/group/g/members/alice', headers: stale } as const
  expectProblem(await world.app.inject(remove), 'version_mismatch')
  assert.equal((await put(world, 'alice', { headers: { 'if-match': '*' } })).statusCode, 200)
})

test('ids, roles and unknown fields are checked', async () => {
  const world = await worldWithGroup()
  const wrong: readonly [Partial<InjectOptions> & { url?: string }, string][] = [
    [{ url: `/v1/group/g/members/${'x'.repeat(257)}` }, 'memberId'],
    [{ url: '/v1/group/g/members/%1f' }, 'memberId'],
    [{ payload: { role: 'x'.repeat(65) } }, 'role'],
    [{ payload: { role: 5 } }, 'role'],
    [{ payload: { rank: 'x' } }, 'rank'],
  ]
  for (const [options, field] of wrong) {
    const problem = expectProblem(await put(world, 'alice', options), 'invalid_request')
    assert.deepEqual(fieldsOf(problem), [field])
  }
  assert.equal((await put(world, encodeURIComponent('a/b 🦊'))).json().memberId, 'a/b 🦊')
})

test('the members of a group come in pages, in the order of their ids, and can be chosen by role', async () => {
  const world = await worldWithGroup()
  for (const [id, role] of [
    ['c', 'guest'],
    ['a', 'owner'],
    ['b', 'guest'],
  ])
    await put(world, id!, { payload: { role } })
  const list = async (query: string) => {
    const answer = await world.app.inject(`/v1/group/g/members${query}`)
    assert.equal(answer.statusCode, 200, answer.body)
    const { members, after } = answer.json()
    return [members.map(({ memberId }: typeof ALICE) => memberId).join(), after, answer.headers.link]
  }
  assert.deepEqual(await list(''), ['a,b,c', undefined, undefined])
  assert.deepEqual(await list('?limit=2'), ['a,b', 'b', '</v1/group/g/members?limit=2&after=b>; rel="next"'])
  assert.deepEqual(await list('?limit=2&after=b'), ['c', undefined, undefined])
  assert.deepEqual(await list('?role=guest'), ['b,c', undefined, undefined])
  expectProblem(await world.app.inject('/v1/group/none/members'), 'group_not_found')
  const problem = expectProblem(await world.app.inject('/v1/group/g/members?limit=0'), 'invalid_request')
  assert.deepEqual(fieldsOf(problem), ['limit'])
})

test('the groups of a member come in pages, and can be chosen by prefix', async () => {
  const world = testApp()
  for (const groupId of ['g1', 'g2', 'h1']) {
    await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } })
    await world.app.inject({
      method: 'PUT',
      url: `/v1/group/${groupId}/members/alice`,
      payload: { role: 'x' },
    })
  }
  const list = async (query: string) => {
    const answer = await world.app.inject(`/v1/member/alice/groups${query}`)
    assert.equal(answer.statusCode, 200, answer.body)
    const { groups, after } = answer.json()
    return [groups.map(({ groupId }: typeof ALICE) => groupId).join(), after, answer.headers.link]
  }
  assert.deepEqual(await list(''), ['g1,g2,h1', undefined, undefined])
  assert.deepEqual(await list('?limit=1'), [
    'g1',
    'g1',
    '</v1/member/alice/groups?limit=1&after=g1>; rel="next"',
  ])
  assert.deepEqual(await list('?prefix=h'), ['h1', undefined, undefined])
  await world.app.inject({ method: 'DELETE', url: '/v1/group/g2' })
  assert.deepEqual(await list(''), ['g1,h1', undefined, undefined])
  assert.deepEqual((await world.app.inject('/v1/member/nobody/groups')).json(), { groups: [] })
})

test('a batch answers with the status that each member alone would have got, in order', async () => {
  const world = await worldWithGroup()
  await put(world, 'bob')
  const batch = (payload: object, url = '/v1/group/g/members:batch') =>
    world.app.inject({ method: 'POST', url, payload })
  const done = await batch({
    add: [{ memberId: 'alice', role: 'owner' }, { memberId: 'bob' }, { memberId: 'carol' }],
    remove: ['nobody', 'carol'],
  })
  assert.equal(done.statusCode, 200)
  type Outcome = { memberId: string; status: number; problem?: { code: string } }
  const statuses = (outcomes: readonly Outcome[]) =>
    outcomes.map(({ memberId, status, problem }) => `${memberId} ${status} ${problem?.code ?? ''}`.trim())
  assert.deepEqual(statuses(done.json().add), ['alice 201', 'bob 200', 'carol 201'])
  assert.deepEqual(statuses(done.json().remove), ['nobody 404 group_member_not_found', 'carol 200'])
  const { members } = (await world.app.inject('/v1/group/g/members')).json()
  assert.deepEqual(
    members.map(({ memberId, role }: { memberId: string; role?: string }) => [memberId, role]),
    [
      ['alice', 'owner'],
      ['bob', undefined],
    ],
  )
  const missing = await batch({ add: [{ memberId: 'x' }] }, '/v1/group/none/members:batch')
  assert.deepEqual(statuses(missing.json().add), ['x 404 group_not_found'])
  const many = Array.from({ length: 600 }, (_, index) => `m${index}`)
  const tooMany = { add: many.map((memberId) => ({ memberId })), remove: many }
  assert.deepEqual(fieldsOf(expectProblem(await batch(tooMany), 'invalid_request')), ['body'])
  const twice = { add: [{ memberId: 'x' }, { memberId: 'x', role: 'owner' }], remove: ['y', 'x', 'y'] }
  assert.deepEqual(fieldsOf(expectProblem(await batch(twice), 'invalid_request')), ['add.1.memberId'])
  const removedTwice = { remove: ['y', 'x', 'y'] }
  assert.deepEqual(fieldsOf(expectProblem(await batch(removedTwice), 'invalid_request')), ['remove.2'])
  const whole = await batch({ add: many.map((memberId) => ({ memberId })), remove: many.slice(0, 400) })
  assert.equal(whole.json().add.length + whole.json().remove.length, 1_000)
})

test('failures of the nodes are those of every route', async () => {
  const world = await worldWithGroup()
  world.registry.failWith({ kind: 'not_applied', reason: 'too few nodes answered in time' })
  for (const [method, url] of [
    ['GET', '/v1/group/g/members/alice'],
    ['PUT', '/v1/group/g/members/alice'],
    ['DELETE', '/v1/group/g/members/alice'],
    ['GET', '/v1/group/g/members'],
    ['GET', '/v1/member/alice/groups'],
  ] as const)
    expectProblem(await world.app.inject({ method, url }), 'unavailable')
})

test('a member of a batch has the status and the problem that it would have alone, whatever happens', async () => {
  const failures = (['not_applied', 'unknown', 'unreadable'] as const).map((kind) => ({
    kind,
    reason: 'so it is',
  }))
  for (const failure of [undefined, ...failures]) {
    const world = failure === undefined ? testApp() : await worldWithGroup()
    if (failure !== undefined) world.registry.failWith(failure)
    const payload = { add: [{ memberId: 'alice' }], remove: ['bob'] }
    const batch = await world.app.inject({ method: 'POST', url: '/v1/group/g/members:batch', payload })
    const { add, remove } = batch.json()
    for (const [method, memberId, result] of [
      ['PUT', 'alice', add[0]],
      ['DELETE', 'bob', remove[0]],
    ] as const) {
      const alone = await world.app.inject({ method, url: `/v1/group/g/members/${memberId}` })
      const { requestId: _, ...problem } = result.problem
      const { requestId: _id, ...expected } = alone.json()
      assert.deepEqual([result.memberId, result.status, problem], [memberId, alone.statusCode, expected])
    }
  }
})

test('members of a batch that cannot be begun in time are refused, and those before them are added', async () => {
  let nowMs = 0
  const world = testApp({ nowMs: () => nowMs })
  await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'g' } })
  const put = world.groupMembers.put.bind(world.groupMembers)
  world.groupMembers.put = async (...args) => {
    await null
    nowMs += 20
    return put(...args)
  }
  const payload = {
    add: Array.from({ length: 500 }, (_, index) => ({ memberId: `m${index}` })),
    remove: ['m0'],
  }
  const batch = await world.app.inject({ method: 'POST', url: '/v1/group/g/members:batch', payload })
  const { add, remove } = batch.json()
  const made = add.filter(({ status }: { status: number }) => status === 201).length
  assert.ok(made >= 100 && made <= 100 + 128, `${made} made`)
  for (const { problem } of [add.at(-1), remove[0]])
    assert.deepEqual([problem.code, problem.outcome], ['overloaded', 'not_applied'])
  const { members } = (await world.app.inject('/v1/group/g/members?limit=1000')).json()
  assert.equal(members.length, made)
})

test('an engine without members of groups has no such routes', async () => {
  const { app } = testApp({ without: ['groupMembers'] })
  expectProblem(await app.inject('/v1/group/g/members/alice'), 'not_found')
  expectProblem(await app.inject('/v1/member/alice/groups'), 'not_found')
})
