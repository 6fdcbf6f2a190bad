/** Limits of rates, connections and headers, and what browsers are told. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { pino } from 'pino'
import { type Caller, newCaller } from '../../src/access/caller.ts'
import { Admission, type AdmissionOptions } from '../../src/http/admission/admission.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { expectProblem } from './expect.ts'
import { exchange, listen } from './raw-http.ts'
import { testApp } from './test-app.ts'

const LIVE = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'

function anAdmission(options: Partial<AdmissionOptions>) {
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const clock = new ManualClock()
  return { admission: new Admission({ timeoutMs: 3_000, clock, logger, ...options }), clock, logged }
}

/** Knows a caller by the name that it sends. */
const authenticator = {
  kinds: ['a name'],
  authenticate: ({ authorization }: { authorization?: string | undefined }) => {
    if (authorization === undefined) return { kind: 'missing' as const }
    const caller: Caller = newCaller({ kind: 'key', id: authorization, name: 'n', role: 'admin', prefix: '' })
    return { kind: 'known' as const, caller }
  },
}

test('a caller that sends more than its rate gets 429, and others are not affected', async () => {
  const { admission, clock, logged } = anAdmission({ ratePerSecond: 2 })
  const { app } = testApp({ admission, authenticator })
  const send = (authorization: string) => app.inject({ url: '/v1/group/g', headers: { authorization } })
  const first = await send('a')
  assert.equal(first.statusCode, 404)
  assert.equal(first.headers['ratelimit-policy'], '"caller";q=2;w=1')
  assert.equal(first.headers.ratelimit, '"caller";r=1;t=1')
  await send('a')
  const refused = await send('a')
  assert.equal(expectProblem(refused, 'rate_limited').outcome, 'not_applied')
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await send('b')).statusCode, 404)
  clock.advance(500)
  assert.equal((await send('a')).statusCode, 404)
  assert.deepEqual(
    logged.map((line) => JSON.parse(line)).map(({ msg, caller }) => [msg, caller]),
    [['requests are refused: there are too many', 'key:a']],
  )
})

test('requests without a known caller count by their address, and harm no caller that is known', async () => {
  const { admission } = anAdmission({ ratePerSecond: 2 })
  const { app } = testApp({ admission, authenticator })
  const statuses = []
  for (let count = 0; count < 4; count += 1) statuses.push((await app.inject('/v1/group/g')).statusCode)
  assert.deepEqual(statuses, [401, 401, 429, 429])
  const known = await app.inject({ url: '/v1/group/g', headers: { authorization: 'a' } })
  assert.equal(known.statusCode, 404)
})

test('a watch counts in the rate of its caller, although nothing waits for its end', async () => {
  const { admission } = anAdmission({ ratePerSecond: 2 })
  const { app } = testApp({ admission, authenticator })
  const headers = { authorization: 'a' }
  for (let count = 0; count < 2; count += 1) {
    const { statusCode, stream } = await app.inject({ url: '/v1/watch', headers, payloadAsStream: true })
    assert.equal(statusCode, 200)
    stream().destroy()
  }
  expectProblem(await app.inject({ url: '/v1/watch', headers }), 'rate_limited')
  await app.close()
})

test('without RATE_LIMIT no rate is limited or shown, and health checks never are', async () => {
  const open = testApp().app
  for (let count = 0; count < 50; count += 1) {
    const { statusCode, headers } = await open.inject('/v1/group/g')
    assert.deepEqual([statusCode, headers.ratelimit], [404, undefined])
  }
  const { app } = testApp({ admission: anAdmission({ ratePerSecond: 1 }).admission })
  for (let count = 0; count < 5; count += 1) assert.equal((await app.inject('/livez')).statusCode, 200)
})

test('connections above the limit are closed, and there is room again when others end', async (context) => {
  // One address may have half of the connections.
  const { admission, logged } = anAdmission({ maxConnections: 6 })
  const door = await listen(testApp({ admission, drainTimeoutMs: 50 }).app, context)
  const sockets = []
  for (let count = 0; count < 3; count += 1) {
    const socket = connect(door)
    context.after(() => socket.destroy())
    await once(socket, 'connect')
    sockets.push(socket)
    socket.write(LIVE)
    await once(socket, 'data')
  }
  const late = connect(door)
  late.on('error', () => {})
  late.write(LIVE)
  await once(late, 'close')
  assert.equal(admission.connections.refusedCount, 1)
  assert.match(logged.join(), /"requests":"connections"/)
  const ended = once(sockets[0]!, 'close')
  sockets[0]!.end()
  await ended
  while (admission.connections.count === 3) await new Promise(setImmediate)
  assert.equal(
    (await exchange(door, LIVE.replace('host: x', 'host: x\r\nconnection: close'))).statusCode,
    200,
  )
})

test('every answer forbids to guess its type, also one to what is not HTTP', async (context) => {
  const { app } = testApp()
  for (const path of [
    '/v1/group/g',
    '/v1/group',
    '/nowhere',
    '/livez',
    '/metrics',
    '/v1/docs',
    '/v1/redoc',
  ]) {
    assert.equal((await app.inject(path)).headers['x-content-type-options'], 'nosniff', path)
  }
  const door = await listen(app, context)
  const bad = await exchange(door, 'NONSENSE\r\n\r\n')
  assert.equal(bad.headers['x-content-type-options'], 'nosniff')
})

test('a request line and headers above 16 KiB are refused', async (context) => {
  const door = await listen(testApp().app, context)
  const get = (path: string) => exchange(door, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
  assert.equal((await get(`/v1/group?after=${'a'.repeat(200)}`)).statusCode, 200)
  expectProblem(await get(`/v1/group/${'a'.repeat(17_000)}`), 'headers_too_large')
})

test('no page of another origin may use the API unless its origin is configured', async () => {
  const headers = { origin: 'https://ui.example' }
  const none = await testApp().app.inject({ url: '/v1/group', headers })
  assert.deepEqual(
    Object.keys(none.headers).filter((name) => name.startsWith('access-control') || name === 'vary'),
    [],
  )
  const { app } = testApp({ corsOrigins: ['https://ui.example'] })
  const allowed = await app.inject({ url: '/v1/group', headers })
  assert.equal(allowed.headers['access-control-allow-origin'], 'https://ui.example')
  assert.equal(
    allowed.headers['access-control-expose-headers'],
    'Cache-Control, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, WWW-Authenticate, X-Request-Id',
  )
  assert.equal(allowed.headers.vary, 'Origin')
  const other = await app.inject({ url: '/v1/group', headers: { origin: 'https://evil.example' } })
  assert.equal(other.headers['access-control-allow-origin'], undefined)
  assert.equal(other.headers.vary, 'Origin')
})

test('a browser that asks before it sends a request is told what it may send', async () => {
  const { app } = testApp({ corsOrigins: ['*'], authenticator })
  const answer = await app.inject({
    method: 'OPTIONS',
    url: '/v1/group/g',
    headers: {
      origin: 'https://ui.example',
      'access-control-request-method': 'PATCH',
      'access-control-request-headers': 'authorization,if-match',
    },
  })
  assert.equal(answer.statusCode, 204)
  assert.equal(answer.headers['access-control-allow-origin'], '*')
  assert.match(String(answer.headers['access-control-allow-methods']), /\bPATCH\b/)
  assert.equal(answer.headers['access-control-allow-headers'], 'authorization,if-match')
  // An error can be read by the page too.
  const unknown = await app.inject({ url: '/v1/group/g', headers: { origin: 'https://ui.example' } })
  assert.deepEqual([unknown.statusCode, unknown.headers['access-control-allow-origin']], [401, '*'])
})
