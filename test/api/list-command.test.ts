/** `cohort list` over HTTP, against the real API. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ApiClient } from '../../src/cli/api-client.ts'
import { CommandFailure } from '../../src/cli/failure.ts'
import { type ListOptions, listGroups } from '../../src/cli/list/list-groups.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }

async function aList(context: TestContext, count: number) {
  const world = testApp()
  for (let index = 0; index < count; index += 1) {
    const groupId = `g${String(index).padStart(4, '0')}`
    const group = { groupId, version: 1, incarnation: 'i', ...TIMES }
    await world.registry.change(groupId, () => ({ kind: 'changed', group, answer: group }))
  }
  let requests = 0
  world.app.addHook('onRequest', (_request, _reply, done) => {
    requests += 1
    done()
  })
  const url = await world.app.listen({ port: 0, host: '127.0.0.1' })
  const client = new ApiClient({ url })
  context.after(async () => {
    await client.close()
    await world.app.close()
  })
  return { world, url, client, requests: () => requests }
}

/** What a list prints. `gone`: after how many writes its reader is gone. */
async function printed(
  { client, url }: { client: ListOptions['client']; url: string },
  options: Partial<ListOptions> = {},
  gone = Number.POSITIVE_INFINITY,
): Promise<string> {
  const writes: string[] = []
  const output = {
    answer: (text: string) => void writes.push(text),
    flush: async () => true,
    get isReaderGone() {
      return writes.length >= gone
    },
    loss: undefined,
    columns: undefined,
    hasColours: false,
  }
  await listGroups({ client, url, groups: {}, limit: undefined, form: 'table', output, ...options })
  return writes.join('')
}

test('all groups are listed, through several pages, in each form', async (context) => {
  const list = await aList(context, 2_100)
  const table = (await printed(list)).trimEnd().split('\n')
  assert.equal(table.length, 2_101)
  assert.match(table[0]!, /^group +version +updated +labels +description$/)
  assert.match(table[2_100]!, /^g2099 +1 +2026-01-01T00:00:00\.000Z$/)
  const json = (await printed(list, { form: 'json' })).trimEnd().split('\n')
  assert.deepEqual(JSON.parse(json[1_500]!), { groupId: 'g1500', version: 1, ...TIMES })
  const ids = (await printed(list, { form: 'ids' })).trimEnd().split('\n')
  assert.deepEqual([ids.length, ids[0], ids.at(-1)], [2_100, 'g0000', 'g2099'])
  for (const limit of [1, 999, 1_000, 1_001, 2_100, 5_000]) {
    const some = (await printed(list, { form: 'ids', limit })).trimEnd().split('\n')
    assert.equal(some.length, Math.min(limit, 2_100))
  }
})

test('only groups of a prefix and with labels are listed; a table shortens long texts, and can be empty', async (context) => {
  const list = await aList(context, 0)
  const create = (payload: object) => list.world.app.inject({ method: 'POST', url: '/v1/group', payload })
  await create({ groupId: 'a/1', labels: { team: 'core' }, description: `x\n${'y'.repeat(100)}` })
  await create({ groupId: 'a/2' })
  await create({ groupId: 'b', labels: { team: 'core' } })
  const groups = { prefix: 'a/', labels: 'team in (core)' }
  assert.equal(await printed(list, { form: 'ids', groups }), 'a/1\n')
  assert.equal(
    await printed(list, { groups }),
    [
      'group  version  updated                   labels     description',
      `a/1          1  2026-01-01T00:00:00.000Z  team=core  x\\n${'y'.repeat(44)}…`,
      '',
    ].join('\n'),
  )
  assert.equal(await printed(list, { groups: { prefix: 'none' } }), 'no groups\n')
  assert.equal(await printed(list, { groups: { prefix: 'none' }, form: 'json' }), '')
  await assert.rejects(printed(list, { groups: { labels: 'a>1' } }), /labels must be a label selector/)
})

test('a reader that ends early ends the walk', async (context) => {
  const list = await aList(context, 2_100)
  assert.equal((await printed(list, { form: 'ids' }, 1)).trimEnd().split('\n').length, 1_000)
})

test('a cluster that does not answer for a moment is waited for, but not before its first answer', async (context) => {
  const list = await aList(context, 1_500)
  const { registry }: TestApp = list.world
  registry.failWith({ kind: 'not_applied', reason: 'too few nodes answered in time' })
  await assert.rejects(printed(list), /too few nodes answered in time/)
  registry.failWith(undefined)
  const before = list.requests()
  let isFirst = true
  const client: ListOptions['client'] = {
    list: async function* (...args) {
      for await (const page of list.client.list(...args)) {
        yield page
        // The next request that arrives fails.
        if (isFirst) registry.failWith({ kind: 'not_applied', reason: 'a pause' })
        isFirst = false
      }
    },
  }
  const mend = setInterval(() => {
    if (list.requests() - before >= 2) registry.failWith(undefined)
  }, 5)
  context.after(() => clearInterval(mend))
  assert.equal((await printed({ ...list, client }, { form: 'ids' })).trimEnd().split('\n').length, 1_500)
  assert.ok(list.requests() - before >= 3, 'the second page was asked for twice')
})

test('groups that cannot be read are named at the end, and the command fails', async (context) => {
  const list = await aList(context, 3)
  list.world.registry.unreadable.add('g0001')
  const writes: string[] = []
  const output = { answer: (text: string) => void writes.push(text), flush: async () => true }
  const rest = { isReaderGone: false, loss: undefined, columns: undefined, hasColours: false }
  const options = {
    ...list,
    groups: {},
    limit: undefined,
    form: 'ids',
    output: { ...output, ...rest },
  } as const
  await assert.rejects(listGroups(options), (error) => {
    assert.ok(error instanceof CommandFailure)
    return /^1 group cannot be read .*: "g0001"$/.test(error.message)
  })
  assert.deepEqual(writes, ['g0000\ng0002\n'])
})
