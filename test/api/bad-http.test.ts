import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { expectProblem } from './expect.ts'
import { exchange, listen } from './raw-http.ts'
import { testApp } from './test-app.ts'

test('bytes that are not HTTP: 400 invalid_http, and the connection ends', async (context) => {
  const { app } = testApp()
  const port = await listen(app, context)
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
    const answer = await exchange(port, request)
    expectProblem(answer, 'invalid_http')
    assert.equal(answer.headers.connection, 'close')
  }
})

test('headers, or a path, beyond 16 KiB: 431', async (context) => {
  const { app } = testApp()
  const port = await listen(app, context)
  const long = 'x'.repeat(17 * 1_024)
  expectProblem(
    await exchange(port, `GET /livez HTTP/1.1\r\nhost: x\r\nx: ${long}\r\n\r\n`),
    'headers_too_large',
  )
  expectProblem(await exchange(port, `GET /${long} HTTP/1.1\r\nhost: x\r\n\r\n`), 'headers_too_large')
})

test('a body beyond the limit whose length is not declared: 413, and the connection ends', async (context) => {
  const { app } = testApp()
  const port = await listen(app, context)
  const head =
    'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n'
  const answer = await exchange(port, `${head}10001\r\n${'x'.repeat(0x10001)}\r\n0\r\n\r\n`)
  expectProblem(answer, 'body_too_large')
  assert.equal(answer.headers.connection, 'close')
})

test('a body shorter than declared does nothing', async (context) => {
  const { app } = testApp()
  const port = await listen(app, context)
  const body = '{"groupId":"g"}'
  const head = `POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length + 1}`
  await new Promise<void>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port }, () => socket.end(`${head}\r\n\r\n${body}`))
    socket.resume().on('close', () => resolve())
  })
  expectProblem(await app.inject('/v1/group/g'), 'group_not_found')
})

test('an expectation is ignored, and 100-continue honoured', async (context) => {
  const { app } = testApp()
  const port = await listen(app, context)
  const odd = 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: miracles\r\nconnection: close\r\n\r\n'
  const answer = await exchange(port, odd)
  assert.equal(answer.statusCode, 200)
  assert.ok(answer.headers['x-request-id'])
})

test('a request of HTTP/1.1 without Host: 400 invalid_http; of HTTP/1.0 it needs none', async (context) => {
  const { app } = testApp()
  const port = await listen(app, context)
  expectProblem(await exchange(port, 'GET /livez HTTP/1.1\r\nconnection: close\r\n\r\n'), 'invalid_http')
  assert.equal((await exchange(port, 'GET /livez HTTP/1.0\r\n\r\n')).statusCode, 200)
})
