/** `POST /v1/groups:batch`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { newCaller } from '../../src/access/caller.ts'
import type { BatchResult } from '../../src/api/batch-schemas.ts'
import { expectProblem } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

function send({ app }: TestApp, payload: object, key?: string) {
  const headers = key === undefined ? {} : { 'idempotency-key': key }
  return app.inject({ method: 'POST', url: '/v1/groups:batch', headers, payload })
}

async function batch(world: TestApp, payload: object, key?: string): Promise<BatchResult> {
  const answer = await send(world, payload, key)
  assert.equal(answer.statusCode, 200, answer.body)
  return answer.json()
}

/** Each result in a word or two. */
function told(results: BatchResult['create']): string[] {
  return results.map((result) =>
    'problem' in result
      ? `${result.groupId} ${result.status} ${result.problem.code}`
      : `${result.groupId} ${result.status} ${result.etag}${result.replayed ? ' again' : ''}`,
  )
}

async function aWorld(): Promise<TestApp> {
  const world = testApp()
  await addGroups(world)
  return world
}

async function addGroups({ app }: TestApp): Promise<void> {
  for (const groupId of ['a', 'b'])
    await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } })
}

test('each change is made or refused as if it were alone, and its outcome is told in the order of the request', async () => {
  const world = await aWorld()
  const result = await batch(world, {
    delete: [{ groupId: 'none' }, { groupId: 'b' }],
    create: [{ groupId: 'c', description: 'new' }],
    update: [
      { groupId: 'a', description: 'changed' },
      { groupId: 'gone', labels: null },
    ],
  })
  assert.deepEqual(told(result.create), ['c 201 "1-i3"'])
  assert.deepEqual(told(result.update), ['a 200 "2-i1"', 'gone 404 group_not_found'])
  assert.deepEqual(told(result.delete), ['none 404 group_not_found', 'b 200 "1-i2"'])
  const { groups } = (await world.app.inject('/v1/group')).json()
  assert.deepEqual(
    groups.map(({ groupId, description }: { groupId: string; description: string }) => [
      groupId,
      description,
    ]),
    [
      ['a', 'changed'],
      ['c', 'new'],
    ],
  )
  const [done] = result.create
  assert.deepEqual(Object.keys(done!), ['groupId', 'status', 'etag', 'version', 'createdAt', 'updatedAt'])
})

test('ifMatch of a change is its precondition', async () => {
  const world = await aWorld()
  const result = await batch(world, {
    update: [{ groupId: 'a', ifMatch: '"9-i1"', description: 'x' }],
    delete: [{ groupId: 'b', ifMatch: '"1-i2", "5-x"' }],
  })
  assert.deepEqual(told(result.update), ['a 412 version_mismatch'])
  assert.deepEqual(told(result.delete), ['b 200 "1-i2"'])
  const { errors } = expectProblem(
    await send(world, { delete: [{ groupId: 'a', ifMatch: '1-i1' }] }),
    'invalid_request',
  )
  assert.equal(errors?.[0]?.field, 'delete.0.ifMatch')
})

test('a change has the status and the problem that it would have alone, whatever the registry says', async () => {
  for (const kind of ['not_applied', 'unknown', 'unreadable'] as const) {
    const world = await aWorld()
    world.registry.failWith({ kind, reason: 'so it is' })
    const { create, update } = await batch(world, { create: [{ groupId: 'x' }], update: [{ groupId: 'a' }] })
    const alone = [
      await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'x' } }),
      await world.app.inject({ method: 'PATCH', url: '/v1/group/a', payload: {} }),
    ]
    for (const [index, result] of [create[0]!, update[0]!].entries()) {
      assert.ok('problem' in result)
      const { requestId: _, ...problem } = result.problem
      const { requestId: _id, ...expected } = alone[index]!.json()
      assert.deepEqual([result.status, problem], [alone[index]!.statusCode, expected])
    }
  }
})

test('a batch of any changes leaves what the same changes leave one by one, with the same statuses', async () => {
  const change = fc.record({
    kind: fc.constantFrom('create', 'update', 'delete'),
    description: fc.string({ maxLength: 3, unit: fc.constantFrom('x', 'y') }),
  })
  const groupIds = ['a', 'b', 'c', 'd']
  const [together, alone] = [testApp(), testApp()]
  await fc.assert(
    fc.asyncProperty(fc.dictionary(fc.constantFrom(...groupIds), change), async (changes) => {
      for (const world of [together, alone]) {
        world.registry.clear()
        await addGroups(world)
      }
      const parts: { [kind: string]: object[] } = { create: [], update: [], delete: [] }
      const statuses: { [kind: string]: number[] } = { create: [], update: [], delete: [] }
      for (const [groupId, { kind, description }] of Object.entries(changes)) {
        parts[kind]!.push(kind === 'delete' ? { groupId } : { groupId, description })
        const [method, url, payload] =
          kind === 'create'
            ? (['POST', '/v1/group', { groupId, description }] as const)
            : kind === 'update'
              ? (['PATCH', `/v1/group/${groupId}`, { description }] as const)
              : (['DELETE', `/v1/group/${groupId}`, undefined] as const)
        const answer = await alone.app.inject({ method, url, ...(payload === undefined ? {} : { payload }) })
        statuses[kind]!.push(answer.statusCode)
      }
      if (Object.keys(changes).length === 0) return
      const result = await batch(together, parts)
      for (const kind of ['create', 'update', 'delete'] as const)
        assert.deepEqual(
          result[kind].map(({ status }) => status),
          statuses[kind],
        )
      const [left, expected] = await Promise.all(
        [together, alone].map(async ({ app }) => {
          const { groups } = (await app.inject('/v1/group')).json()
          // The ids of the requests must differ.
          return groups.map(({ requestId: _, ...group }: { requestId: string }) => group)
        }),
      )
      assert.deepEqual(left, expected)
    }),
    { numRuns: 40 },
  )
})

test('a batch with an Idempotency-Key may be repeated, as a whole or change by change', async () => {
  const world = await aWorld()
  const payload = {
    create: [{ groupId: 'c' }],
    update: [{ groupId: 'a', ifMatch: '"1-i1"', description: 'new' }],
  }
  const first = await batch(world, payload, 'k')
  assert.deepEqual([told(first.create), told(first.update)], [['c 201 "1-i3"'], ['a 200 "2-i1"']])
  const second = await batch(world, payload, 'k')
  assert.deepEqual(
    [told(second.create), told(second.update)],
    [['c 201 "1-i3" again'], ['a 200 "2-i1" again']],
  )
  const alone = await world.app.inject({
    method: 'POST',
    url: '/v1/group',
    headers: { 'idempotency-key': 'k' },
    payload: { groupId: 'c' },
  })
  assert.equal(alone.headers['idempotency-replayed'], 'true')
  const other = await batch(world, { update: [{ groupId: 'a', description: 'another' }] }, 'k')
  assert.deepEqual(told(other.update), ['a 422 idempotency_key_reused'])
})

test('1,000 changes are taken and 1,001 are not, however they are divided, before anything is looked at', async () => {
  const items = (count: number, item: object = {}) => Array.from({ length: count }, () => item)
  const named = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => ({ groupId: `${prefix}${index}` }))
  const world = testApp()
  const { create } = await batch(world, { create: named(1_000, 'g') })
  assert.ok(create.every(({ status }) => status === 201))
  assert.equal((await batch(world, { update: named(500, 'g'), delete: named(500, 'h') })).delete.length, 500)
  for (const payload of [
    { create: items(1_001) },
    { create: items(500), update: items(501) },
    { create: items(1), update: items(1), delete: items(999) },
  ]) {
    const { errors } = expectProblem(await send(world, payload), 'invalid_request')
    assert.deepEqual(errors, [{ field: 'body', message: 'must have at most 1000 changes in all' }])
  }
  expectProblem(await send(world, {}), 'invalid_request')
  expectProblem(await send(world, { create: [] }), 'invalid_request')
})

test('a change that cannot be begun in time is refused, and those before it are made', async () => {
  let nowMs = 0
  const world = testApp({ nowMs: () => nowMs })
  const { registry } = world
  const change = registry.change.bind(registry)
  let most = 0
  let underWay = 0
  registry.change = async (...args) => {
    underWay += 1
    most = Math.max(most, underWay)
    await null
    nowMs += 20
    underWay -= 1
    return change(...args)
  }
  const ids = Array.from({ length: 500 }, (_, index) => ({ groupId: `g${index}` }))
  const { create } = await batch(world, { create: ids })
  const made = create.filter(({ status }) => status === 201).length
  assert.ok(made >= 100 && made <= 100 + 128, `${made} made`)
  assert.equal(most, 128)
  const [refused] = create.slice(-1)
  assert.ok(refused !== undefined && 'problem' in refused)
  assert.deepEqual([refused.problem.code, refused.problem.outcome], ['overloaded', 'not_applied'])
  registry.change = change
  const { groups } = (await world.app.inject('/v1/group?limit=1000')).json()
  assert.equal(groups.length, made)
})

test('a wrong change refuses the whole batch, and nothing is done; at most 16 errors are reported', async () => {
  const world = await aWorld()
  for (const [payload, field] of [
    [{ create: [{ groupId: 'ok' }, { groupId: '' }] }, 'create.1.groupId'],
    [{ create: [{ groupId: 'ok' }], update: [{ groupId: 'a', version: 1 }] }, 'update.0.version'],
    [{ create: [{ groupId: 'ok' }], delete: [{}] }, 'delete.0.groupId'],
    [{ create: [{ groupId: 'ok' }], restore: [] }, 'restore'],
    [{ create: [{ groupId: 'ok' }, { groupId: 'ok' }] }, 'create.1.groupId'],
    [{ create: [{ groupId: 'ok' }], delete: [{ groupId: 'ok' }] }, 'delete.0.groupId'],
    [[], 'body'],
    [null, 'body'],
  ] as const) {
    const { errors } = expectProblem(await send(world, payload as object), 'invalid_request')
    assert.equal(errors?.[0]?.field, field)
  }
  expectProblem(await world.app.inject('/v1/group/ok'), 'group_not_found')
  for (const item of [{ groupId: '' }, { groupId: 'twice' }]) {
    const { errors } = expectProblem(
      await send(world, { create: Array.from({ length: 1_000 }, () => item) }),
      'invalid_request',
    )
    assert.equal(errors?.length, 16)
  }
})

test('a caller with a prefix may not name a group outside it in any part of a batch', async () => {
  const caller = newCaller({ kind: 'key', id: 'k', name: 'ci', role: 'writer', prefix: 'team/' })
  const world = testApp({ authenticator: { kinds: [], authenticate: () => ({ kind: 'known', caller }) } })
  assert.deepEqual(told((await batch(world, { create: [{ groupId: 'team/a' }] })).create), [
    'team/a 201 "1-i1"',
  ])
  for (const part of ['create', 'update', 'delete']) {
    const payload = { create: [{ groupId: 'team/b' }], [part]: [{ groupId: 'team/c' }, { groupId: 'other' }] }
    expectProblem(await send(world, payload), 'forbidden')
  }
  expectProblem(await world.app.inject('/v1/group/team%2Fb'), 'group_not_found')
})
