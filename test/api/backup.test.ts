/** `GET /v1/backup` and `POST /v1/restore`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { RESTORE_GROUPS_MAX } from '../../src/api/backup-schemas.ts'
import type { Group } from '../../src/group/group.ts'
import { group as anyGroup } from '../../src/testing/group-arbitraries.ts'
import { expectProblem, fieldsOf } from './expect.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-02T00:00:00.000Z' }

function aGroup(parts: Partial<Group> = {}): Group {
  return { groupId: 'g', version: 3, incarnation: 'i-1', ...TIMES, ...parts }
}

const restore = ({ app }: TestApp, groups: unknown) =>
  app.inject({ method: 'POST', url: '/v1/restore', payload: { groups } as object })

async function allOf({ app }: TestApp, limit: number): Promise<Group[]> {
  const groups: Group[] = []
  for (let after: string | undefined; ; ) {
    const query = after === undefined ? '' : `&after=${encodeURIComponent(after)}`
    const page = (await app.inject(`/v1/backup?limit=${limit}${query}`)).json()
    groups.push(...page.groups)
    if (page.after === undefined) return groups
    after = page.after
  }
}

test('what one registry backs up, another restores: the same groups, and the same ETags', async () => {
  const groups = fc.uniqueArray(anyGroup, { minLength: 1, maxLength: 12, selector: ({ groupId }) => groupId })
  const [from, to] = [testApp(), testApp()]
  await fc.assert(
    fc.asyncProperty(groups, fc.integer({ min: 1, max: 5 }), async (backup, limit) => {
      for (const { registry } of [from, to]) registry.clear()
      assert.deepEqual((await restore(from, backup)).json(), {
        restored: backup.length,
        unchanged: 0,
        conflicts: [],
      })
      const pages = await allOf(from, limit)
      assert.deepEqual(
        pages,
        backup.toSorted((a, b) => Buffer.compare(Buffer.from(a.groupId), Buffer.from(b.groupId))),
      )
      assert.equal((await restore(to, pages)).statusCode, 200)
      assert.deepEqual(await allOf(to, limit), pages)
      // `inject` would take `..` out of a path.
      for (const { groupId } of backup.filter((one) => !/^\.+$/.test(one.groupId))) {
        const [a, b] = await Promise.all(
          [from, to].map(({ app }) => app.inject(`/v1/group/${encodeURIComponent(groupId)}`)),
        )
        assert.equal(a!.headers.etag, b!.headers.etag)
        assert.equal(a!.body, b!.body)
      }
    }),
    { numRuns: 30 },
  )
})

test('a restored group goes on from the version it had', async () => {
  const world = testApp()
  await restore(world, [aGroup()])
  const headers = { 'if-match': '"3-i-1"' }
  const patched = await world.app.inject({
    method: 'PATCH',
    url: '/v1/group/g',
    headers,
    payload: { description: 'd' },
  })
  assert.equal(patched.headers.etag, '"4-i-1"')
})

test('the largest version that a restore takes can still be changed, read and deleted', async () => {
  const world = testApp()
  assert.equal((await restore(world, [aGroup({ version: 2 ** 48 })])).statusCode, 200)
  const url = '/v1/group/g'
  const changed = await world.app.inject({ method: 'PATCH', url, payload: { description: 'new' } })
  assert.equal(changed.json().version, 2 ** 48 + 1)
  assert.equal((await world.app.inject(url)).json().version, 2 ** 48 + 1)
  assert.equal((await world.app.inject({ method: 'DELETE', url })).statusCode, 200)
  for (const version of [2 ** 48 + 1, Number.MAX_SAFE_INTEGER]) {
    const answer = await restore(world, [aGroup({ version })])
    assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), ['groups.0.version'])
  }
})

test('a restore that is repeated leaves everything unchanged', async () => {
  const world = testApp()
  const groups = [aGroup(), aGroup({ groupId: 'h', labels: { a: 'b' } })]
  await restore(world, groups)
  assert.deepEqual((await restore(world, groups)).json(), { restored: 0, unchanged: 2, conflicts: [] })
})

test('a different group with the same id is a conflict, and is left alone', async () => {
  const world = testApp()
  await world.app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'g' } })
  const answer = await restore(world, [aGroup(), aGroup({ groupId: 'h' })])
  assert.deepEqual(answer.json(), { restored: 1, unchanged: 0, conflicts: ['g'] })
  assert.equal((await world.app.inject('/v1/group/g')).headers.etag, '"1-i1"')
  // A later version of the same incarnation is a conflict too.
  assert.deepEqual((await restore(world, [aGroup({ groupId: 'h', version: 4 })])).json().conflicts, ['h'])
})

test('a page with one wrong group is refused as a whole, and the field is named', async () => {
  const world = testApp()
  const cases: [object, string][] = [
    [{ groupId: '' }, 'groupId'],
    [{ groupId: 'a\u0000' }, 'groupId'],
    [{ description: 'd'.repeat(1_025) }, 'description'],
    [{ labels: { k: 1 } }, 'labels.k'],
    [{ version: 0 }, 'version'],
    [{ version: 1.5 }, 'version'],
    [{ version: 2 ** 53 }, 'version'],
    [{ version: '1' }, 'version'],
    [{ incarnation: '' }, 'incarnation'],
    [{ incarnation: 'a"b' }, 'incarnation'],
    [{ incarnation: 'a b' }, 'incarnation'],
    [{ incarnation: 'é' }, 'incarnation'],
    [{ incarnation: 'i'.repeat(65) }, 'incarnation'],
    [{ createdAt: '2026-01-01' }, 'createdAt'],
    [{ updatedAt: '2026-01-01T00:00:00.000+02:00' }, 'updatedAt'],
    [{ updatedAt: '2026-13-01T00:00:00.000Z' }, 'updatedAt'],
    [{ more: 1 }, 'more'],
    [{ incarnation: undefined }, 'incarnation'],
  ]
  for (const [parts, field] of cases) {
    const answer = await restore(world, [aGroup({ groupId: 'ok' }), { ...aGroup(), ...parts }])
    const fields = fieldsOf(expectProblem(answer, 'invalid_request'))
    assert.deepEqual([...new Set(fields)], [`groups.1.${field}`], JSON.stringify(parts))
  }
  assert.deepEqual(await allOf(world, 10), [])
})

test('a page has 1 to 256 groups, and at most 1 MiB, which the largest group is far from', async () => {
  const world = testApp()
  const groups = Array.from({ length: RESTORE_GROUPS_MAX + 1 }, (_, index) =>
    aGroup({ groupId: `g${index}` }),
  )
  for (const wrong of [[], groups]) {
    assert.deepEqual(fieldsOf(expectProblem(await restore(world, wrong), 'invalid_request')), ['groups'])
  }
  const labels = Object.fromEntries(
    Array.from({ length: 64 }, (_, i) => [`${i}${'🦊'.repeat(61)}`, '🦊'.repeat(256)]),
  )
  const largest = aGroup({ groupId: '🦊'.repeat(256), description: '🦊'.repeat(1_024), labels })
  assert.ok(JSON.stringify(largest).length > 40_000)
  assert.equal((await restore(world, [largest])).json().restored, 1)
  const problem = expectProblem(await restore(world, ['x'.repeat(1_024 * 1_024)]), 'body_too_large')
  assert.match(problem.detail ?? '', /at most 1048576 bytes/)
})

test('nothing of a page was done: 503; some of it: 504, for it may be any', async () => {
  const world = testApp()
  world.registry.failWith({ kind: 'not_applied', reason: 'too few nodes answered in time' })
  assert.equal(expectProblem(await restore(world, [aGroup()]), 'unavailable').outcome, 'not_applied')
  world.registry.failWith({ kind: 'unknown', reason: 'too few nodes answered in time to tell' })
  assert.equal(expectProblem(await restore(world, [aGroup()]), 'outcome_unknown').outcome, 'unknown')

  world.registry.failWith(undefined)
  const { change } = world.registry
  world.registry.change = async (groupId, command) =>
    groupId === 'h'
      ? { kind: 'not_applied', reason: 'too few nodes answered in time' }
      : change.call(world.registry, groupId, command)
  // `g` exists by now: nothing of this page is done.
  const pages = [
    { groups: [aGroup(), aGroup({ groupId: 'h' })], code: 'unavailable' },
    { groups: [aGroup({ groupId: 'i' }), aGroup({ groupId: 'h' })], code: 'outcome_unknown' },
  ] as const
  for (const { groups, code } of pages) expectProblem(await restore(world, groups), code)
})

test('a backup page refuses unknown parameters, and is unavailable without nodes', async () => {
  const world = testApp()
  for (const [query, field] of [
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['after=', 'after'],
    ['from=a', 'from'],
  ] as const) {
    const answer = await world.app.inject(`/v1/backup?${query}`)
    assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), [field])
  }
  world.registry.failWith({ kind: 'not_applied', reason: 'too few nodes answered in time' })
  expectProblem(await world.app.inject('/v1/backup'), 'unavailable')
})
