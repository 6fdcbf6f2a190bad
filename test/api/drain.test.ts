/**
 * What a close does to clients with open connections. Each test holds an operation back by hand, so that it knows
 * what is under way when the app is closed.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { Group } from '../../src/group/group.ts'
import type { Outcome } from '../../src/group/registry.ts'
import type { Answer } from './expect.ts'
import { listen, parseAnswer } from './raw-http.ts'
import { testApp } from './test-app.ts'

const READ = 'GET /v1/group/g HTTP/1.1\r\nhost: x\r\n\r\n'
const LIVE = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'

test('a request under way when the app closes is answered, and the close waits for it', async (context) => {
  const world = testApp({ drainGraceMs: 50 })
  const held = Promise.withResolvers<Outcome<Group | undefined>>()
  const arrived = Promise.withResolvers<void>()
  world.registry.read = () => {
    arrived.resolve()
    return held.promise
  }
  const socket = await open(await listen(world.app, context))
  const answer = ask(socket, READ)
  await arrived.promise
  let isClosed = false
  const closed = world.app.close().then(() => {
    isClosed = true
  })
  await delay(3 * 50)
  assert.ok(!isClosed, 'closed before the request was answered')
  held.resolve({ kind: 'done', value: undefined })
  assert.equal((await answer).statusCode, 404)
  await closed
})

test('the next request on an idle connection is answered while the app closes, and ends the connection', async (context) => {
  const { app } = testApp({ drainGraceMs: 5_000 })
  const socket = await open(await listen(app, context))
  assert.equal((await ask(socket, LIVE)).headers.connection, 'keep-alive')
  const closed = app.close()
  // The listening socket is closed at once; the connection is not.
  while (app.server.listening) await new Promise(setImmediate)
  const answer = await ask(socket, LIVE)
  assert.equal(answer.statusCode, 200)
  assert.equal(answer.headers.connection, 'close')
  await closed
})

test('while it closes, nobody new is let in', async (context) => {
  const { app } = testApp({ drainGraceMs: 5_000 })
  const port = await listen(app, context)
  const socket = await open(port)
  await ask(socket, LIVE)
  const closed = app.close()
  while (app.server.listening) await new Promise(setImmediate)
  await assert.rejects(open(port), { code: 'ECONNREFUSED' })
  await ask(socket, LIVE)
  await closed
})

test('a connection that stays idle holds a close up for the grace time, no longer', async (context) => {
  const { app } = testApp({ drainGraceMs: 100 })
  const socket = await open(await listen(app, context))
  await ask(socket, LIVE)
  const start = performance.now()
  await app.close()
  const tookMs = performance.now() - start
  assert.ok(tookMs >= 90 && tookMs < 5_000, `took ${tookMs} ms`)
})

test('without connections a close is immediate, listening or not', async (context) => {
  const listening = testApp({ drainGraceMs: 60_000 })
  await listen(listening.app, context)
  await listening.app.close()
  const injected = testApp({ drainGraceMs: 60_000 })
  await injected.app.inject('/livez')
  await injected.app.close()
})

test('no request of many clients in full flight is dropped by a close', async (context) => {
  const { app } = testApp({ drainGraceMs: 5_000 })
  const port = await listen(app, context)
  let answered = 0
  const start = Promise.withResolvers<void>()
  const client = async () => {
    const socket = await open(port)
    for (;;) {
      const { statusCode, headers } = await ask(socket, LIVE)
      assert.equal(statusCode, 200)
      answered += 1
      if (answered === 500) start.resolve()
      if (headers.connection === 'close') return
    }
  }
  const clients = Promise.all(Array.from({ length: 32 }, client))
  await start.promise
  await app.close()
  await clients
  assert.ok(answered >= 500)
})

async function open(port: number): Promise<Socket> {
  const socket = connect({ host: '127.0.0.1', port })
  await once(socket, 'connect')
  return socket
}

/** Sends a request on an open connection; its answer is small, and comes in one piece. Rejects if the connection ends. */
function ask(socket: Socket, request: string): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>()
  const onEnd = () => reject(new Error('the connection ended without an answer'))
  socket.once('close', onEnd)
  socket.once('data', (bytes) => {
    socket.off('close', onEnd)
    resolve(parseAnswer(bytes.toString()))
  })
  socket.write(request)
  return promise
}
