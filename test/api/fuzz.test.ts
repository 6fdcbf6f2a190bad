/**
 * Whatever is sent, the answer is one that the API describes: never a 500, every error a problem with a
 * request id.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyText } from '../../src/testing/text-arbitraries.ts'
import { type Answer, expectProblem } from './expect.ts'
import { exchange, listen } from './raw-http.ts'
import { testApp } from './test-app.ts'

const METHODS = ['GET', 'HEAD', 'POST', 'PATCH', 'DELETE'] as const

test('any JSON, in place of a group or a patch', async () => {
  const { app } = testApp()
  const key = fc.oneof(
    fc.constantFrom('groupId', 'description', 'labels', '__proto__', 'constructor'),
    fc.string(),
  )
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, 0, -1, 1e308, '', 'g'),
      anyText(),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(key, tie('value')), { maxLength: 4 }).map((entries) => Object.fromEntries(entries)),
    ),
  })).value
  await fc.assert(
    fc.asyncProperty(json, fc.constantFrom('POST', 'PATCH'), async (value, method) => {
      const url = method === 'POST' ? '/v1/group' : '/v1/group/g'
      const headers = { 'content-type': 'application/json' }
      expectDescribed(
        await app.inject({ method: method as 'POST', url, headers, payload: JSON.stringify(value) }),
      )
    }),
    { numRuns: 150 },
  )
})

test('any bytes as a body', async () => {
  const { app } = testApp()
  const type = fc.oneof(
    fc.constantFrom('application/json', 'application/merge-patch+json', 'text/plain'),
    fc.stringMatching(/^[ -~]{0,20}$/),
  )
  const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...METHODS), type, body, async (method, contentType, payload) => {
      const url = method === 'POST' ? '/v1/group' : '/v1/group/g'
      expectDescribed(await app.inject({ method, url, headers: { 'content-type': contentType }, payload }))
    }),
    { numRuns: 200 },
  )
})

test('any bytes in the path and in headers, on a real connection', async (context) => {
  const { app } = testApp()
  await app.inject({ method: 'POST', url: '/v1/group', payload: { groupId: 'g' } })
  const door = await listen(app, context)
  const path = fc.oneof(
    fc.stringMatching(/^[!-~]{0,30}$/).map((text) => `/v1/group/${text}`),
    fc
      .array(fc.integer({ min: 0, max: 255 }), { maxLength: 12 })
      .map((bytes) => `/v1/group/${escaped(bytes)}`),
    fc
      .array(fc.constantFrom('/', '..', '.', 'v1', 'group', 'docs', 'static', '%2F', '%', '?', '#'))
      .map((parts) => `/${parts.join('')}`),
  )
  const header = fc.tuple(
    fc.constantFrom(
      'if-match',
      'if-none-match',
      'x-request-id',
      'content-type',
      'accept',
      'range',
      'accept-version',
    ),
    fc.oneof(
      fc.stringMatching(/^[\t -~]{0,40}$/),
      fc
        .array(fc.constantFrom('"1-i1"', 'W/', '"', ',', '*', ' ', 'bytes=', '0-', '9'))
        .map((parts) => parts.join('')),
      fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    ),
  )
  const request = fc.tuple(
    fc.constantFrom(...METHODS, 'PUT', 'OPTIONS', 'PROPFIND'),
    path,
    fc.array(header, { maxLength: 3 }),
  )
  await fc.assert(
    fc.asyncProperty(request, async ([method, url, headers]) => {
      const lines = headers.map(([name, value]) => `${name}: ${value.replaceAll(/[\r\n]/g, '')}\r\n`).join('')
      const bytes = Buffer.from(
        `${method} ${url} HTTP/1.1\r\nhost: x\r\n${lines}connection: close\r\n\r\n`,
        'latin1',
      )
      expectDescribed(await exchange(door, bytes))
    }),
    { numRuns: 300 },
  )
})

test('any bytes in place of HTTP', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
      // The server would wait after blank lines or the start of a request; this is neither.
      const answer = await exchange(door, Buffer.concat([bytes, Buffer.from('\x01\r\n\r\n')]))
      expectDescribed(answer)
      assert.ok(answer.statusCode >= 400)
    }),
    { numRuns: 100 },
  )
})

function expectDescribed(answer: Answer): void {
  assert.ok(answer.headers['x-request-id'], JSON.stringify(answer))
  assert.notEqual(answer.statusCode, 500, answer.body)
  if (answer.statusCode >= 400 && answer.body !== '') expectProblem(answer)
  else if (answer.statusCode >= 400) assert.match(String(answer.headers['content-type']), /problem\+json/)
}

function escaped(bytes: readonly number[]): string {
  return bytes.map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
}
