import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { expectProblem } from './expect.ts'
import { type Door, exchange, listen, PLACES, parseAnswer, send } from './raw-http.ts'
import { testApp } from './test-app.ts'

// On a name that stands for several addresses, each of them must answer alike.
for (const place of PLACES) {
  test(`bytes that are not HTTP: 400 invalid_http, and the connection ends (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    const requests = [
      'nonsense\r\n\r\n',
      '\0\0\0\0\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'GET /livez HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n',
      'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n',
      'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
      'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ]
    for (const request of requests) {
      const answer = await exchange(door, request)
      expectProblem(answer, 'invalid_http')
      assert.equal(answer.headers.connection, 'close')
    }
  })

  test(`headers, or a path, beyond 16 KiB: 431 (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    const long = 'x'.repeat(17 * 1_024)
    expectProblem(
      await exchange(door, `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${long}\r\n\r\n`),
      'headers_too_large',
    )
    expectProblem(await exchange(door, `GET /${long} HTTP/1.1\r\nhost: x\r\n\r\n`), 'headers_too_large')
  })

  test(`a body beyond the limit whose length is not declared: 413, and the connection ends (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    const head =
      'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
    const answer = await exchange(door, `${head}10001\r\n${'x'.repeat(0x10001)}\r\n0\r\n\r\n`)
    expectProblem(answer, 'body_too_large')
    assert.equal(answer.headers.connection, 'close')
  })

  test(`a body shorter than declared does nothing (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    const body = '{"groupId":"g"}'
    const head = `POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length + 1}`
    await new Promise<void>((resolve) => {
      const socket = connect(door, () => socket.end(`${head}\r\n\r\n${body}`))
      socket.resume().on('close', () => resolve())
    })
    expectProblem(await app.inject('/v1/group/g'), 'group_not_found')
  })

  test(`100-continue is answered, and any other expectation is ignored (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    const odd = 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\nconnection: close\r\n\r\n'
    const answer = await exchange(door, odd)
    assert.equal(answer.statusCode, 200)
    assert.ok(answer.headers['x-request-id'])
  })

  test(`no Host in HTTP/1.1, two of them, or one that names no host: 400 invalid_http (RFC 9112 §3.2) (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    const ask = (version: string, ...hosts: string[]) =>
      exchange(
        door,
        `GET /livez HTTP/${version}\r\n${hosts.map((host) => `${host}\r\n`).join('')}connection: close\r\n\r\n`,
      )
    for (const hosts of [
      [],
      ['host: a', 'host: a'],
      ['host: a', 'HOST: b'],
      ['Host: a', 'x: y', 'hOsT: '],
      ['host: a b'],
      ['host: a, b'],
      ['host: a/b'],
      ['host: user@a'],
      ['host: a:b'],
      ['host: a:1:2'],
      ['host: [::1'],
      ['host: "a"'],
      ['host: é'],
    ]) {
      expectProblem(await ask('1.1', ...hosts), 'invalid_http')
      if (hosts.length !== 0) expectProblem(await ask('1.0', ...hosts), 'invalid_http')
    }
    for (const host of [
      'a',
      'a:80',
      'a:',
      '',
      '127.0.0.1:8000',
      '[::1]:8000',
      '[::ffff:1.2.3.4]',
      'a_b.c-d',
      'x%20y',
      'a;b=c',
    ]) {
      assert.equal((await ask('1.1', `host: ${host}`)).statusCode, 200, host)
    }
    assert.equal((await ask('1.0')).statusCode, 200)
  })

  test(`a request for an absolute URL is one for its path; an upgrade is not taken (RFC 9112 §3.2.2, RFC 9110 §7.8) (${place.title})`, async (context) => {
    const { app } = testApp()
    const door = await listen(app, context, place)
    assert.equal((await send(door, 'GET', 'http://example.org/livez')).statusCode, 200)
    for (const protocol of ['websocket', 'h2c', 'TLS/1.0']) {
      const request = `GET /livez HTTP/1.1\r\nhost: x\r\nupgrade: ${protocol}\r\nconnection: upgrade, close\r\n\r\n`
      assert.equal((await exchange(door, request)).statusCode, 200)
    }
  })
}

test('bytes that are no request are answered after the requests before them, and the connection ends', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  const get = 'GET /v1/group?limit=1 HTTP/1.1\r\nhost: x\r\n\r\n'
  const badBody = 'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  for (const bad of [
    '\0\r\n\r\n',
    `${badBody}transfer-encoding: chunked\r\n\r\nxyz\r\n`,
    'GET /livez HTTP/9.9\r\n\r\n',
  ]) {
    for (const count of [1, 6, 60]) {
      const text = await answersTo(door, get.repeat(count) + bad)
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d+) /g)].map(([, status]) => Number(status))
      assert.deepEqual(statuses, [...Array(count).fill(200), 400], bad)
      assert.match(text, /"code":"invalid_http"/)
      const unknown = await answersTo(door, `${get.repeat(count)}BREW /pot HTTP/1.1\r\nhost: x\r\n\r\n`)
      assert.match(unknown, /HTTP\/1\.1 501 .*"code":"method_not_implemented"/s)
    }
  }
})

test('a request in the body of another one is never read as a request of its own (request smuggling)', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  const body = '{"groupId":"smuggled"}'
  const smuggled = `POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  const head = 'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n'
  for (const framing of [
    'content-length: 0\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    'transfer-encoding: chunked\r\ncontent-length: 4\r\n\r\n0\r\n\r\n',
    'content-length: 0\r\ncontent-length: 5\r\n\r\n',
    'content-length: 5\r\nContent-Length: 0\r\n\r\n',
    'content-length: 0\r\ncontent-length: 0\r\n\r\n',
    'content-length: 0, 5\r\n\r\n',
    'content-length: +0\r\n\r\n',
    'content-length: -1\r\n\r\n',
    'content-length: 0x0\r\n\r\n',
    'content-length : 0\r\n\r\n',
    'content-length: 0\r\n 5\r\n\r\n',
    'x: y\r\n content-length: 0\r\n\r\n',
    'transfer-encoding: xchunked\r\n\r\n0\r\n\r\n',
    'transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    'transfer-encoding: identity\r\n\r\n0\r\n\r\n',
    'transfer-encoding : chunked\r\n\r\n0\r\n\r\n',
    'transfer-encoding: chunked\r\n\r\n0x0\r\n\r\n',
    'transfer-encoding: chunked\r\n\r\n-0\r\n\r\n',
    'transfer-encoding: chunked\n\n0\n\n',
    'x: y\rcontent-length: 0\r\n\r\n',
    'x: y\0\r\ncontent-length: 0\r\n\r\n',
  ]) {
    const text = await answersTo(door, `${head}${framing}${smuggled}`)
    assert.deepEqual(text.match(/(?<=^HTTP\/1\.1 )\d+/gm), ['400'], JSON.stringify(framing))
    assert.match(text, /\r\nconnection: close\r\n/i, JSON.stringify(framing))
  }
  expectProblem(await app.inject('/v1/group/smuggled'), 'group_not_found')
})

test('no header is left out: a second Host after 800 others is seen, and 3,000 headers are refused', async (context) => {
  const { app } = testApp()
  const door = await listen(app, context)
  const head = (count: number) =>
    `GET /livez HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${'a:\r\n'.repeat(count)}`
  assert.equal((await exchange(door, `${head(800)}\r\n`)).statusCode, 200)
  expectProblem(await exchange(door, `${head(800)}host: b\r\n\r\n`), 'invalid_http')
  // Node.js would leave out those after the first 2,000.
  expectProblem(await exchange(door, `${head(3_000)}\r\n`), 'headers_too_large')
})

/** All that is answered on one connection, until the server ends it. */
async function answersTo(door: Door, bytes: string): Promise<string> {
  const socket = connect(door)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  // Bytes that arrive at a connection which the server has closed.
  socket.on('error', () => {})
  socket.write(bytes)
  await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  return text
}

/** The whole answer on a connection whose client sends `bytes`, and then one more byte from time to time. */
async function answerToSlow(door: Door, bytes: string, more: string): Promise<string> {
  const socket = connect(door)
  let text = ''
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  // Bytes that arrive at a connection which the server has closed.
  socket.on('error', () => {})
  socket.write(bytes)
  const dripping = setInterval(() => socket.write(more), 20)
  try {
    if (!socket.closed) await once(socket, 'close', { signal: AbortSignal.timeout(10_000) })
  } finally {
    clearInterval(dripping)
    socket.destroy()
  }
  return text
}

test('a request that has not arrived whole in time is answered 408, and does nothing', async (context) => {
  const { app } = testApp({ requestTimeoutMs: 300 })
  const door = await listen(app, context)
  const head =
    'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n'
  const live = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'
  for (const [bytes, more] of [
    ['GET /livez', 'x'],
    [`${head}x: `, 'x'],
    [`${head}\r\n{"groupId":"g"}`, ' '],
    [`${head.replace('content-length: 1000', 'transfer-encoding: chunked')}\r\n`, '1\r\n \r\n'],
  ] as const) {
    const startMs = performance.now()
    expectProblem(parseAnswer(await answerToSlow(door, bytes, more)), 'request_timeout')
    assert.ok(performance.now() - startMs >= 250)
  }
  // The same for a further request of a connection.
  const [first, second] = (await answerToSlow(door, `${live}${head}\r\n{"groupId":"g"}`, ' ')).split(
    /(?=HTTP\/1\.1 408)/,
  )
  assert.equal(parseAnswer(first!).statusCode, 200)
  expectProblem(parseAnswer(second!), 'request_timeout')
  expectProblem(await app.inject('/v1/group/g'), 'group_not_found')
})

test('a request that has arrived whole has all the time that its answer takes', async (context) => {
  const world = testApp({ requestTimeoutMs: 100 })
  const door = await listen(world.app, context)
  const arrived = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  world.registry.read = async () => {
    arrived.resolve()
    await held.promise
    return { kind: 'done', value: undefined }
  }
  const answer = send(door, 'GET', '/v1/group/g')
  await arrived.promise
  // Some looks of the server after the timeout.
  await wait(300)
  held.resolve()
  expectProblem(await answer, 'group_not_found')
})

test('a request has 30 s to arrive whole', () => {
  const { server } = testApp().app
  assert.deepEqual([server.requestTimeout, server.headersTimeout], [30_000, 30_000])
})

test('an open connector of this machine alone takes no request for a name that a web page may have made lead here', async () => {
  const { app, registry } = testApp({ isLocalOnly: true })
  const create = (host: string) =>
    app.inject({ method: 'POST', url: '/v1/group', headers: { host }, payload: { groupId: 'g' } })
  for (const host of [
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
  ]) {
    const answer = await create(host)
    expectProblem(answer, 'misdirected_request')
    assert.match(answer.json().detail, /"(?:localhost|127\.0\.0\.1)?\.?evil\.example.*use localhost or an IP/)
  }
  assert.deepEqual(registry.all, [])
  for (const host of [
    'localhost',
    'LOCALHOST:8080',
    'cohort.localhost',
    '127.0.0.1:1',
    '[::1]:1',
    '10.1.2.3',
    '',
  ]) {
    const answer = await app.inject({ url: '/livez', headers: { host } })
    assert.equal(answer.statusCode, 200, host)
  }
  // With authentication, or where the operator allows it, any name is good.
  assert.equal(
    (await testApp().app.inject({ url: '/livez', headers: { host: 'a.example' } })).statusCode,
    200,
  )
})
