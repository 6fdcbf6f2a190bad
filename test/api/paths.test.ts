import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../src/testing/text-arbitraries.ts'
import { expectProblem, fieldsOf } from './expect.ts'
import { exchange, listen, send } from './raw-http.ts'
import { testApp } from './test-app.ts'

test('an id of any legal text is found under its percent-encoded path', async (context) => {
  const character = fc.oneof(
    fc.constantFrom('/', '.', '%', '?', '#', ';', ' ', '\\', '+', '🦊', 'é', '\u0301', '\u2028', '\ufeff'),
    anyText({ minLength: 1, maxLength: 1 }).filter(isLegal),
  )
  const groupId = fc.oneof(
    fc.constantFrom('.', '..', '...', '%2F', '%', '/', '//', 'a/', '/a', '__proto__', '🦊'.repeat(256)),
    fc.string({ unit: character, minLength: 1, maxLength: 40 }),
  )
  const { app } = testApp()
  const door = await listen(app, context)
  const seen = new Set<string>()
  await fc.assert(
    fc.asyncProperty(groupId, async (id) => {
      const created = await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: id } })
      assert.equal(created.statusCode, seen.has(id) ? 409 : 201, created.body)
      seen.add(id)
      const path = `/v1/group/${encodeURIComponent(id)}`
      if (created.statusCode === 201) assert.equal(created.headers.location, path)
      const lowerCase = path.replaceAll(/%../g, (escaped) => escaped.toLowerCase())
      for (const url of [path, lowerCase, everyByteEscaped(id)]) {
        assert.equal(JSON.parse((await send(door, 'GET', url)).body).groupId, id, url)
      }
    }),
    { numRuns: 60 },
  )
})

test('an illegal id in a path: 400, naming groupId', async () => {
  const { app } = testApp()
  for (const id of [
    '%00',
    'a%0Ab',
    '%7F',
    '%C2%85',
    'a'.repeat(257),
    '%F0%9F%A6%8A'.repeat(257),
    'a'.repeat(9_000),
  ]) {
    for (const method of ['GET', 'DELETE', 'PATCH'] as const) {
      const body = method === 'PATCH' ? { payload: {} } : {}
      const answer = await app.inject({ method, url: `/v1/group/${id}`, ...body })
      assert.deepEqual(fieldsOf(expectProblem(answer, 'invalid_request')), ['groupId'], id.slice(0, 20))
    }
  }
})

test('escapes that are not UTF-8, and broken ones: 400 invalid_path', async () => {
  const { app } = testApp()
  for (const id of ['%FF', '%zz', '%', '%2', '%C3', '%C0%AF', '%ED%A0%80', 'a%']) {
    expectProblem(await app.inject(`/v1/group/${id}`), 'invalid_path')
  }
  expectProblem(await app.inject('/%zz'), 'invalid_path')
})

test('bytes in a path that should have been escaped: 400, and never another group', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  const groupId = Buffer.from('é').toString('latin1')
  await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId } })
  const request = Buffer.from('GET /v1/group/é HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  expectProblem(await exchange(door, request), 'invalid_http')
})

/** Content types that no route takes, and texts that are not a content type. */
const ODD_TYPES = ['text/plain', 'x', '/', '']

test('an unknown path: 404, whatever is sent to it', async () => {
  const { app } = testApp()
  for (const path of [
    '/',
    '/v1',
    '/v1/',
    '/v2/group',
    '/v1/group/a/b',
    '/v1//group',
    '/V1/group',
    '/v1/docs/nope',
  ]) {
    expectProblem(await app.inject(path), 'not_found')
    const headers = { 'content-type': 'application/json' }
    expectProblem(await app.inject({ method: 'POST', url: path, headers, payload: '{' }), 'not_found')
    for (const type of ODD_TYPES) {
      const odd = { method: 'POST', url: path, headers: { 'content-type': type }, payload: '{' } as const
      expectProblem(await app.inject(odd), 'not_found')
    }
  }
  expectProblem(await app.inject('/v1/docs/static/..%2f..%2fpackage.json'), 'not_found')
})

test('a known path with another method: 405 with Allow', async () => {
  const { app } = testApp()
  const cases = [
    ['PUT', '/v1/group/g', 'DELETE, GET, HEAD, PATCH'],
    ['POST', '/v1/group/g/', 'DELETE, GET, HEAD, PATCH'],
    ['OPTIONS', '/v1/group/a%2Fb?x=/', 'DELETE, GET, HEAD, PATCH'],
    ['DELETE', '/v1/group', 'GET, HEAD, POST'],
    ['PATCH', '/v1/group/', 'GET, HEAD, POST'],
    ['POST', '/livez', 'GET, HEAD'],
    ['DELETE', '/readyz', 'GET, HEAD'],
    ['POST', '/v1/cluster', 'GET, HEAD'],
    ['GET', '/v1/cluster/members', 'POST'],
    ['POST', '/v1/cluster/members/n', 'DELETE, PUT'],
    ['DELETE', '/v1/group/g/replicas', 'GET, HEAD'],
    ['PUT', '/v1/openapi.json', 'GET, HEAD'],
    ['POST', '/v1/docs', 'GET, HEAD'],
    ['POST', '/v1/redoc', 'GET, HEAD'],
  ] as const
  for (const [method, url, allow] of cases) {
    const request = { method, url, headers: { 'content-type': 'application/json' } }
    const answer = await app.inject(method === 'OPTIONS' ? request : { ...request, payload: '{' })
    expectProblem(answer, 'method_not_allowed')
    assert.equal(answer.headers.allow, allow, `${method} ${url}`)
    for (const type of ODD_TYPES) {
      const odd = { method, url, headers: { 'content-type': type } }
      expectProblem(await app.inject(odd), 'method_not_allowed')
    }
  }
})

test('methods that hardly anybody knows: 405 too', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  for (const method of ['PROPFIND', 'TRACE', 'MKCOL', 'QUERY']) {
    const answer = await send(door, method, '/v1/group/g')
    expectProblem(answer, 'method_not_allowed')
  }
})

function everyByteEscaped(id: string): string {
  const bytes = [...Buffer.from(id)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
  return `/v1/group/${bytes.join('')}`
}

function isLegal(text: string): boolean {
  return /^[^\p{Cc}\p{Cs}]$/u.test(text)
}
