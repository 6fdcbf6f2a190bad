/** What must hold for every route, walked over all routes that Fastify knows. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { InjectOptions, RouteOptions } from 'fastify'
import { pino } from 'pino'
import { newCaller } from '../../src/access/caller.ts'
import { rightOf } from '../../src/access/route-rights.ts'
import { Admission } from '../../src/http/admission/admission.ts'
import type { Cost } from '../../src/http/admission/cost.ts'
import type { Dependencies } from '../../src/http/dependencies.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { testApp } from './test-app.ts'

/** The gate of each route. A route that is not named is of `operations`. */
const COSTS: ReadonlyMap<Cost, readonly string[]> = new Map<Cost, readonly string[]>([
  [
    'key',
    [
      'POST /v1/group',
      'GET /v1/group/:groupId',
      'PATCH /v1/group/:groupId',
      'DELETE /v1/group/:groupId',
      'GET /v1/group/:groupId/members/:memberId',
      'PUT /v1/group/:groupId/members/:memberId',
      'DELETE /v1/group/:groupId/members/:memberId',
    ],
  ],
  [
    'list',
    [
      'GET /v1/group',
      'GET /v1/group/:groupId/replicas',
      'GET /v1/group/:groupId/members',
      'GET /v1/member/:memberId/groups',
    ],
  ],
  [
    'bulk',
    [
      'POST /v1/groups::batch',
      'POST /v1/group/:groupId/members::batch',
      'GET /v1/backup',
      'GET /v1/backup/members',
      'POST /v1/restore',
      'POST /v1/restore/members',
    ],
  ],
  // A watch has a limit of its own.
  ['free', ['GET /livez', 'GET /readyz', 'GET /v1/watch']],
])

/** The methods of a route, without HEAD, which Fastify adds to each GET. */
function methodsOf({ method }: RouteOptions): string[] {
  return [method].flat().filter((name) => name !== 'HEAD')
}

/** The real app, whose handlers answer with the status of `answer`, and what Fastify knows of each route. */
async function appAnswering(
  answer: { status: number },
  overrides: Partial<Omit<Dependencies, 'engine'>> = {},
) {
  const { app } = testApp(overrides)
  const routes: { name: string; request: InjectOptions; cost: Cost }[] = []
  app.addHook('onRoute', (route) => {
    for (const method of methodsOf(route)) {
      const name = `${method} ${route.url}`
      routes.push({ name, request: requestTo(method, route.url), cost: route.config?.cost ?? 'operations' })
    }
    delete route.schema
    route.handler = (_request, reply) => void reply.code(answer.status).send({})
  })
  await app.ready()
  return { app, routes }
}

function requestTo(method: string, url: string): InjectOptions {
  const path = url
    .replace('::', ':')
    .replaceAll(/:(groupId|memberId|nodeId|keyId)/g, 'x')
    .replace('*', 'x')
  return { method: method as 'GET', url: path }
}

test('every route has its gate, so that a flood of one kind delays the others little', async () => {
  const { routes } = await appAnswering({ status: 200 })
  assert.ok(routes.length > 25)
  const costOf = (name: string) =>
    [...COSTS].find(([, names]) => names.includes(name))?.[0] ?? ('operations' satisfies Cost)
  assert.deepEqual(
    routes.map(({ name, cost }) => [name, cost]),
    routes.map(({ name }) => [name, costOf(name)]),
  )
  const known = new Set(routes.map(({ name }) => name))
  for (const name of [...COSTS.values()].flat()) assert.ok(known.has(name), `${name} is a route`)
})

test('the audit log has each change that was or may have been made, whatever the route, and each use of a right of administrators', async () => {
  const caller = newCaller({ kind: 'key', id: 'k', name: 'n', role: 'admin', prefix: '' })
  const authenticator = { kinds: ['a name'], authenticate: () => ({ kind: 'known' as const, caller }) }
  const lines: Record<string, unknown>[] = []
  const audit = { write: (fields: object) => void lines.push(fields as Record<string, unknown>) }
  const answer = { status: 0 }
  const { app, routes } = await appAnswering(answer, { authenticator, audit })
  for (const status of [200, 204, 404, 412, 500, 503, 504]) {
    answer.status = status
    for (const { name, request } of routes) {
      const [method, url] = name.split(' ') as [string, string]
      const right = rightOf(method, url)
      const mayHaveChanged = status < 300 || status === 500 || status === 504
      const isAdmin = right !== 'open' && right?.right === 'admin' && status < 300
      const expected = method !== 'GET' && mayHaveChanged ? ['change'] : isAdmin ? ['admin'] : []
      await app.inject(request)
      const found = lines.splice(0)
      assert.deepEqual(
        found.map(({ event }) => event),
        expected,
        `${name} ${status}`,
      )
      for (const line of found)
        assert.deepEqual([line.caller, line.route, line.status], ['key:k', url, status])
    }
  }
})

test('every answer of every route has its request’s id and forbids to guess its type', async () => {
  const { app, routes } = await appAnswering({ status: 200 })
  for (const { name, request } of routes) {
    const { headers } = await app.inject({ ...request, headers: { 'x-request-id': 'mine' } })
    assert.deepEqual([headers['x-request-id'], headers['x-content-type-options']], ['mine', 'nosniff'], name)
  }
})

test('every route but those that are free counts for the rate of its caller, and says what is left', async () => {
  const options = { timeoutMs: 3_000, clock: new ManualClock(), logger: pino({ level: 'silent' }) }
  const admission = new Admission({ ...options, ratePerSecond: 1_000 })
  const { app, routes } = await appAnswering({ status: 200 }, { admission })
  for (const { name, request, cost } of routes) {
    const { headers } = await app.inject(request)
    // Nothing waits for the end of a watch, but its begin may cost a whole list.
    const isLimited = cost !== 'free' || name === 'GET /v1/watch'
    assert.equal(headers['ratelimit-policy'], isLimited ? '"caller";q=1000;w=1' : undefined, name)
  }
})
