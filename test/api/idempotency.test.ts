/** Requests with an `Idempotency-Key`, which a client may repeat. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { expectProblem } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

type Asked = Readonly<{ key?: string; ifMatch?: string; payload: object }>

function ask({ app }: TestApp, method: 'POST' | 'PATCH', { key, ifMatch, payload }: Asked) {
  const headers = {
    ...(key === undefined ? {} : { 'idempotency-key': key }),
    ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
  }
  return app.inject({ method, url: method === 'POST' ? '/v1/group' : '/v1/group/g', headers, payload })
}

const create = (world: TestApp, asked: Asked) => ask(world, 'POST', asked)
const patch = (world: TestApp, asked: Asked) => ask(world, 'PATCH', asked)

test('a repeated create has the same success, with the group as it is, and says that it was repeated', async () => {
  const world = testApp()
  const payload = { groupId: 'g', description: 'd' }
  const first = await create(world, { key: 'k', payload })
  assert.deepEqual([first.statusCode, first.headers['idempotency-replayed']], [201, undefined])
  const second = await create(world, { key: 'k', payload })
  assert.deepEqual([second.statusCode, second.headers['idempotency-replayed']], [201, 'true'])
  assert.deepEqual([second.body, second.headers.etag], [first.body, first.headers.etag])
  assert.equal(second.headers.location, '/v1/group/g')
  await patch(world, { payload: { description: 'new' } })
  const third = await create(world, { key: 'k', payload })
  assert.equal(third.statusCode, 201)
  assert.deepEqual([third.json().description, third.headers.etag], ['new', '"2-i1"'])
  for (const key of [undefined, 'another'])
    expectProblem(await create(world, { ...(key === undefined ? {} : { key }), payload }), 'group_exists')
})

test('a repeated patch is made once, although the group has another version by then', async () => {
  const world = testApp()
  const { headers } = await create(world, { payload: { groupId: 'g' } })
  const asked = { key: 'k', ifMatch: String(headers.etag), payload: { labels: { a: 'b' } } }
  const first = await patch(world, asked)
  assert.deepEqual([first.statusCode, first.headers['idempotency-replayed']], [200, undefined])
  const second = await patch(world, asked)
  assert.deepEqual([second.statusCode, second.headers['idempotency-replayed']], [200, 'true'])
  assert.equal(second.body, first.body)
  expectProblem(await patch(world, { ...asked, key: 'another' }), 'version_mismatch')
})

test('after 504 outcome_unknown the same request tells that it was made', async () => {
  const world = testApp()
  const asked = { key: 'k', payload: { groupId: 'g' } }
  world.registry.failWith({ kind: 'unknown', reason: 'too few nodes answered in time to tell' })
  expectProblem(await create(world, asked), 'outcome_unknown')
  world.registry.failWith(undefined)
  const repeated = await create(world, asked)
  assert.deepEqual([repeated.statusCode, repeated.headers['idempotency-replayed']], [201, 'true'])
})

test('another request with the same key is refused: another body, method or precondition', async () => {
  const world = testApp()
  await create(world, { key: 'k', payload: { groupId: 'g' } })
  for (const answer of [
    await create(world, { key: 'k', payload: { groupId: 'g', description: 'd' } }),
    await patch(world, { key: 'k', payload: { description: 'd' } }),
    await create(world, { key: 'k', ifMatch: '*', payload: { groupId: 'g' } }),
  ]) {
    expectProblem(answer, 'idempotency_key_reused')
  }
  // The key belongs to the group, so that another group can have the same one.
  assert.equal((await create(world, { key: 'k', payload: { groupId: 'other' } })).statusCode, 201)
})

test('a key that cannot be used is refused, and nothing is done', async () => {
  const world = testApp()
  for (const key of ['', 'a b', 'a, b', 'é', 'x'.repeat(256), 'a\tb']) {
    const { errors } = expectProblem(
      await create(world, { key, payload: { groupId: 'g' } }),
      'invalid_request',
    )
    assert.equal(errors?.[0]?.field, 'Idempotency-Key')
  }
  expectProblem(await world.app.inject('/v1/group/g'), 'group_not_found')
  for (const key of ['x'.repeat(255), '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
    assert.equal((await create(world, { key, payload: { groupId: key } })).statusCode, 201)
})

test('no route shows the keys, and a restored group has none', async () => {
  const world = testApp()
  await create(world, { key: 'k', payload: { groupId: 'g' } })
  for (const url of ['/v1/group/g', '/v1/group', '/v1/backup'])
    assert.doesNotMatch((await world.app.inject(url)).body, /requests/)
  const { groups } = (await world.app.inject('/v1/backup')).json()
  const other = testApp()
  const restored = await other.app.inject({ method: 'POST', url: '/v1/restore', payload: { groups } })
  assert.deepEqual(restored.json(), { restored: 1, unchanged: 0, conflicts: [] })
})
