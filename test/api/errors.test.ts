import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { PROBLEMS } from '../../src/api/problem-codes.ts'
import { expectProblem } from './expect.ts'
import { testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
const STORED = { groupId: 'g', version: 1, incarnation: 'i', ...TIMES }
const EVERY_CHANGE = [
  { method: 'POST', url: '/v1/group', payload: { groupId: 'g' } },
  { method: 'PATCH', url: '/v1/group/g', payload: { description: 'd' } },
  { method: 'DELETE', url: '/v1/group/g' },
  { method: 'POST', url: '/v1/restore', payload: { groups: [STORED] } },
] as const
const EVERY_READ = [
  { method: 'GET', url: '/v1/group/g' },
  { method: 'GET', url: '/v1/group' },
  { method: 'GET', url: '/v1/backup' },
] as const

test('docs/errors.md has every code with its status, and no other', async () => {
  const text = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/^\| `([a-z_]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [
    code,
    Number(status),
  ])
  const existing = Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])
  assert.deepEqual(documented.sort(), existing.sort())
})

test('nothing done: 503 unavailable with its outcome and Retry-After', async () => {
  const { app, registry } = testApp({ retryAfterSeconds: 2 })
  registry.failWith({ kind: 'not_applied', reason: 'too few nodes answered in time' })
  for (const request of [...EVERY_CHANGE, ...EVERY_READ]) {
    const answer = await app.inject(request)
    assert.equal(expectProblem(answer, 'unavailable').outcome, 'not_applied')
    assert.equal(answer.headers['retry-after'], '2')
  }
  const head = await app.inject({ method: 'HEAD', url: '/v1/group/g' })
  assert.equal(head.statusCode, 503)
  assert.equal(head.body, '')
})

test('a group that cannot be read: 500 unreadable_group, nothing changed, and nothing that invites to repeat', async () => {
  const { app, registry } = testApp()
  registry.failWith({ kind: 'unreadable', reason: 'what the nodes hold for this group cannot be read' })
  for (const request of [...EVERY_CHANGE, { method: 'GET', url: '/v1/group/g' } as const]) {
    const answer = await app.inject(request)
    assert.equal(expectProblem(answer, 'unreadable_group').outcome, 'not_applied')
    assert.equal(answer.headers['retry-after'], undefined)
  }
})

test('maybe done: 504 outcome_unknown with its outcome, and no Retry-After', async () => {
  const { app, registry } = testApp()
  registry.failWith({ kind: 'unknown', reason: 'too few nodes answered in time to tell' })
  for (const request of EVERY_CHANGE) {
    const answer = await app.inject(request)
    assert.equal(expectProblem(answer, 'outcome_unknown').outcome, 'unknown')
    assert.equal(answer.headers['retry-after'], undefined)
  }
})

test('a bug: 500 internal_error, logged with the request, and nothing of it shown', async () => {
  const world = testApp()
  world.registry.read = () => Promise.reject(new Error('secret'))
  const answer = await world.app.inject({ url: '/v1/group/g', headers: { 'x-request-id': 'mine' } })
  expectProblem(answer, 'internal_error')
  assert.doesNotMatch(answer.body, /secret/)
  const lines = world.logged.map((line) => JSON.parse(line))
  assert.equal(lines.length, 1)
  assert.equal(lines[0].requestId, 'mine')
  assert.equal(lines[0].err.message, 'secret')
})

test('errors of the client are not logged', async () => {
  const world = testApp()
  await world.app.inject('/nope')
  await world.app.inject({ method: 'POST', url: '/v1/group', payload: {} })
  await world.app.inject('/v1/group/%zz')
  assert.deepEqual(world.logged, [])
})

test('ready only while a quorum answers; live all the same', async () => {
  let isReady = false
  const { app } = testApp({ engine: { readiness: { isReady: () => isReady } } })
  const answer = await app.inject('/readyz')
  expectProblem(answer, 'not_ready')
  assert.equal(answer.headers['retry-after'], '1')
  assert.equal((await app.inject('/livez')).statusCode, 200)
  isReady = true
  assert.deepEqual((await app.inject('/readyz')).json(), { status: 'ready' })
})

test('a valid X-Request-Id comes back with every answer; an invalid one is replaced', async () => {
  const { app } = testApp()
  const urls = [
    '/v1/group/g',
    '/nope',
    '/v1/group/%zz',
    '/livez',
    '/v1/openapi.json',
    '/v1/docs',
    '/v1/docs/static/index.css',
    '/v1/redoc/redoc.standalone.js',
  ]
  for (const url of urls) {
    for (const sane of ['a', '!~', '0af7651916cd43dd8448eb211c80319c', 'x'.repeat(128)]) {
      const { headers } = await app.inject({ url, headers: { 'x-request-id': sane } })
      assert.equal(headers['x-request-id'], sane, url)
    }
    for (const other of ['', ' ', 'a b', 'é', 'x'.repeat(129), 'a\tb']) {
      const { headers } = await app.inject({ url, headers: { 'x-request-id': other } })
      assert.match(String(headers['x-request-id']), /^[0-9a-f]{12}-[0-9a-z]+$/, url)
    }
  }
})

test('fresh request ids differ, also between connectors', async () => {
  const seen = new Set<unknown>()
  for (const { app } of [testApp(), testApp()]) {
    for (let count = 0; count < 50; count += 1) seen.add((await app.inject('/livez')).headers['x-request-id'])
  }
  assert.equal(seen.size, 100)
})
