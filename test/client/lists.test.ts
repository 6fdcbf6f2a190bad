/** Lists of the real API, and of servers that misbehave. */
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { type TestContext, test } from 'node:test'
import { CohortClient, CohortError, expectDone, UnreadableError } from '../../client/src/index.ts'
import { listen } from '../api/raw-http.ts'
import { testApp } from '../api/test-app.ts'
import { CUT, fakeServer, GROUP, ok, UNAVAILABLE } from './fake-server.ts'

async function realClient(t: TestContext): Promise<CohortClient> {
  const { host, port } = await listen(testApp().app, t)
  const client = new CohortClient({ urls: [`http://${host}:${port}`] })
  t.after(() => client.close())
  return client
}

const idOf = (number: number) => `g${String(number).padStart(2, '0')}`

test('a list has each group once, over pages, with filters and with a limit', async (t) => {
  const client = await realClient(t)
  const all = Array.from({ length: 25 }, (_, number) => idOf(number))
  const create = all.map((groupId, number) => ({ groupId, labels: { odd: String(number % 2) } }))
  expectDone(await client.groups.batch({ create }))
  const ids = async (...args: Parameters<typeof client.groups.list>) =>
    (await Array.fromAsync(client.groups.list(...args))).map(({ groupId }) => groupId)
  assert.deepEqual(await ids({}, { pageSize: 4 }), all)
  assert.deepEqual(await ids({}, { pageSize: 4, isAhead: true }), all)
  assert.deepEqual(await ids({}, { pageSize: 4, limit: 10 }), all.slice(0, 10))
  assert.deepEqual(await ids({}, { limit: 0 }), [])
  assert.deepEqual(await ids({ prefix: 'g1', labels: 'odd=1' }, { pageSize: 2 }), [
    'g11',
    'g13',
    'g15',
    'g17',
    'g19',
  ])
  const pages = await Array.fromAsync(client.groups.pages({ idsOnly: true, after: 'g20' }, { pageSize: 3 }))
  assert.deepEqual(
    pages.flatMap(({ groupIds = [] }) => groupIds),
    all.slice(21),
  )
})

test('the members of a group and the groups of a member are lists too', async (t) => {
  const client = await realClient(t)
  for (const groupId of ['a', 'b', 'c']) expectDone(await client.groups.create({ groupId }))
  for (const memberId of ['x', 'y', 'z'])
    expectDone(await client.members.put('a', memberId, memberId === 'z' ? { role: 'owner' } : {}))
  for (const groupId of ['b', 'c']) expectDone(await client.members.put(groupId, 'x', { isNew: true }))
  const members = await Array.fromAsync(client.members.list('a', {}, { pageSize: 2 }))
  assert.deepEqual(
    members.map(({ memberId }) => memberId),
    ['x', 'y', 'z'],
  )
  const owners = await Array.fromAsync(client.members.list('a', { role: 'owner' }))
  assert.deepEqual(
    owners.map(({ memberId }) => memberId),
    ['z'],
  )
  const groups = await Array.fromAsync(client.members.groupsOf('x', {}, { pageSize: 2 }))
  assert.deepEqual(
    groups.map(({ groupId }) => groupId),
    ['a', 'b', 'c'],
  )
  await assert.rejects(
    Array.fromAsync(client.members.list('nowhere')),
    (error) =>
      error instanceof CohortError &&
      error.outcome.outcome === 'refused' &&
      error.outcome.problem.code === 'group_not_found',
  )
})

const page = (after?: string) => ok({ groups: [GROUP], ...(after === undefined ? {} : { after }) })

test('a page is asked for when the one before is used up, or ahead of that', async (t) => {
  for (const [isAhead, asked] of [
    [false, 1],
    [true, 2],
  ] as const) {
    const { url, seen } = await fakeServer(t, page('a'), page('b'), page())
    await using client = new CohortClient({ urls: [url] })
    const list = client.groups.list({}, { isAhead })
    await list.next()
    while (seen.length < asked) await new Promise(setImmediate)
    await new Promise((resolve) => setTimeout(resolve, 20))
    assert.equal(seen.length, asked)
    await list.return()
  }
})

test('a page that fails is asked for again, also at another URL, and none is given twice', async (t) => {
  const one = await fakeServer(t, page('a'), CUT)
  const two = await fakeServer(t, UNAVAILABLE, page('b'), page())
  await using client = new CohortClient({ urls: [one.url, two.url] })
  const pages = await Array.fromAsync(client.groups.pages({}, { pageSize: 1 }))
  assert.deepEqual(
    pages.map(({ after }) => after),
    ['a', 'b', undefined],
  )
  assert.match(two.seen[0]!.path, /after=a/)
})

test('a list ends with an error when a page cannot be had, or entries of it cannot be read', async (t) => {
  const broken = await fakeServer(t, page('a'), UNAVAILABLE)
  await using impatient = new CohortClient({ urls: [broken.url], patienceMs: 0 })
  await assert.rejects(Array.fromAsync(impatient.groups.list()), CohortError)
  const damaged = await fakeServer(
    t,
    ok({ groups: [GROUP], unreadable: ['bad'], after: 'g' }),
    ok({ groups: [GROUP] }),
  )
  await using client = new CohortClient({ urls: [damaged.url] })
  let count = 0
  await assert.rejects(
    async () => {
      for await (const _ of client.groups.list()) count += 1
    },
    (error) => error instanceof UnreadableError && error.ids[0] === 'bad',
  )
  assert.equal(count, 2)
})

test('the first page may have less patience than the others', async (t) => {
  const { url, seen } = await fakeServer(t, UNAVAILABLE)
  await using client = new CohortClient({ urls: [url], patienceMs: 60_000 })
  await assert.rejects(Array.fromAsync(client.groups.list({}, { firstPatienceMs: 0 })), CohortError)
  assert.equal(seen.length, 1)
})

test('a list that is left or aborted leaves no listener', async (t) => {
  const { url } = await fakeServer(t, page('a'))
  await using client = new CohortClient({ urls: [url] })
  const controller = new AbortController()
  const { signal } = controller
  for await (const _ of client.groups.list({}, { signal, isAhead: true })) break
  assert.equal(getEventListeners(signal, 'abort').length, 0)
  await assert.rejects(async () => {
    for await (const _ of client.groups.list({}, { signal })) controller.abort(new Error('enough'))
  }, /enough/)
  assert.equal(getEventListeners(signal, 'abort').length, 0)
})
