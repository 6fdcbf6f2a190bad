/**
 * What a close does to clients with open connections. Tests hold operations back by hand, so that they know
 * what is under way when the app is closed. Every wait has an upper bound near what the drain promises.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { setTimeout as delay, setImmediate as immediate } from 'node:timers/promises'
import type { Group } from '../../src/group/group.ts'
import type { Outcome } from '../../src/group/registry.ts'
import { symbolOf } from '../../src/http/admission/shared-buffer.ts'
import { within } from '../cluster/waiting.ts'
import { type Answer, expectProblem } from './expect.ts'
import { type Door, listen, PLACES, parseAnswer, send } from './raw-http.ts'
import { type TestApp, testApp } from './test-app.ts'

const READ = 'GET /v1/group/g HTTP/1.1\r\nhost: x\r\n\r\n'
const LIVE = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n'
const CREATE_HEAD =
  'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n'

/** The time by which a busy machine may exceed a promised limit. */
const SLACK_MS = 1_500

/** Closes an app, which must take at least `leastMs` and little more than `mostMs`. */
async function closeWithin({ app }: TestApp, leastMs: number, mostMs: number): Promise<void> {
  const startMs = performance.now()
  await app.close()
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= leastMs - 10, `closed after ${tookMs} ms, and ${leastMs} ms were promised`)
  assert.ok(tookMs <= mostMs + SLACK_MS, `closed after ${tookMs} ms, and ${mostMs} ms were promised at most`)
}

/**
 * Makes reads of groups wait. `arrived` resolves when the first one waits, `answer` lets all of them go on.
 */
function holdReads({ registry }: TestApp): { arrived: Promise<void>; answer: () => void } {
  const arrived = Promise.withResolvers<void>()
  const held = Promise.withResolvers<Outcome<Group | undefined>>()
  registry.read = () => {
    arrived.resolve()
    return held.promise
  }
  return { arrived: arrived.promise, answer: () => held.resolve({ kind: 'done', value: undefined }) }
}

/** Lets bytes arrive on an accepted connection now, as Node.js does it when it has read them. */
function arrive(socket: Socket, bytes: string): void {
  const own = socket as unknown as { [symbol: symbol]: unknown }
  const [buffer, take] = ['kBuffer', 'kBufferCb'].map((name) => own[symbolOf(socket, name)!]) as [
    Buffer,
    (length: number) => void,
  ]
  take(buffer.write(bytes))
}

function warnings({ logged }: TestApp): { connections: number }[] {
  return logged.map((line) => JSON.parse(line)).filter(({ msg }) => /the drain timeout is over/.test(msg))
}

async function open(door: Door): Promise<Socket> {
  const socket = connect(door)
  await once(socket, 'connect', { signal: AbortSignal.timeout(5_000) })
  // A connection that is closed by force may end with an error, which is looked at by whoever waits for an
  // answer.
  socket.on('error', () => {})
  return socket
}

/**
 * Sends a request on an open connection; its answer is small, and comes in one piece. Rejects if the
 * connection ends.
 */
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

function untilClosed(socket: Socket): Promise<unknown> {
  return socket.closed
    ? Promise.resolve()
    : once(socket.resume(), 'close', { signal: AbortSignal.timeout(10_000) })
}

for (const place of PLACES) {
  test(`a request under way is answered, and the close waits for it (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 50, drainTimeoutMs: 60_000 })
    const reads = holdReads(world)
    const socket = await open(await listen(world.app, context, place))
    const answer = ask(socket, READ)
    await reads.arrived
    let isClosed = false
    const closed = world.app.close().then(() => {
      isClosed = true
    })
    await delay(3 * 50)
    assert.ok(!isClosed, 'closed before the request was answered')
    reads.answer()
    assert.equal((await answer).statusCode, 404)
    const startMs = performance.now()
    await closed
    const tookMs = performance.now() - startMs
    assert.ok(tookMs < 50 + SLACK_MS, `closed ${tookMs} ms after the last answer`)
    assert.deepEqual(warnings(world), [])
  })

  test(`a request that arrives in the turn of the loop in which idle connections are closed is answered (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 50 })
    const accepted = once(world.app.server, 'connection') as Promise<[Socket]>
    const client = await open(await listen(world.app, context, place))
    const [socket] = await accepted
    const answer = once(client, 'data', { signal: AbortSignal.timeout(5_000) })
    // What listens is closed right before idle connections are.
    const { _handle: listener } = world.app.server as unknown as { _handle: { close: () => void } }
    const closeListener = listener.close
    listener.close = (...args) => {
      arrive(socket, LIVE)
      closeListener.apply(listener, args)
    }
    await world.app.close()
    assert.equal(parseAnswer(String((await answer)[0])).statusCode, 200)
  })

  test(`in the grace time, requests on idle connections are answered and end them (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 500 })
    const sockets: Socket[] = []
    const door = await listen(world.app, context, place)
    for (let count = 0; count < 3; count += 1) sockets.push(await open(door))
    for (const socket of sockets) assert.equal((await ask(socket, LIVE)).headers.connection, 'keep-alive')
    const closed = closeWithin(world, 500, 2 * 500)
    for (const socket of sockets) {
      const answer = await ask(socket, LIVE)
      assert.equal(answer.statusCode, 200)
      assert.equal(answer.headers.connection, 'close')
      await untilClosed(socket)
    }
    await closed
  })

  test(`in the grace time, new connections are taken and learn that it is not ready; after it, none is taken (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 500 })
    const door = await listen(world.app, context, place)
    const closed = closeWithin(world, 500, 2 * 500)
    const ready = await send(door, 'GET', '/readyz')
    assert.match(expectProblem(ready, 'not_ready').detail ?? '', /being stopped/)
    assert.equal(ready.headers['retry-after'], '1')
    assert.equal((await send(door, 'GET', '/livez')).statusCode, 200)
    assert.equal((await send(door, 'GET', '/v1/group/g')).statusCode, 404)
    await closed
    await assert.rejects(open(door), { code: 'ECONNREFUSED' })
  })

  test(`connections that are not accepted yet when the close begins are served (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 300 })
    const door = await listen(world.app, context, place)
    const answers = Array.from({ length: 50 }, () => send(door, 'GET', '/livez'))
    const closed = world.app.close()
    for (const answer of answers) assert.equal((await answer).statusCode, 200)
    await closed
  })

  test(`an idle connection delays a close by the grace time, not longer (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 100 })
    const socket = await open(await listen(world.app, context, place))
    await ask(socket, LIVE)
    await closeWithin(world, 100, 100)
    await untilClosed(socket)
  })

  test(`a connection on which nothing is sent delays a close by two grace times, not longer (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 100 })
    const socket = await open(await listen(world.app, context, place))
    await closeWithin(world, 100, 2 * 100)
    await untilClosed(socket)
    assert.deepEqual(warnings(world), [])
  })

  test(`unfinished requests are closed when the drain timeout is over, with a line in the log (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 50, drainTimeoutMs: 400 })
    const reads = holdReads(world)
    const door = await listen(world.app, context, place)
    const beginnings = [
      'G',
      'GET /livez HTTP/1.1\r\nhost: x\r\n',
      'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
      'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{',
      // Whole, but its answer never comes.
      READ,
    ]
    const sockets = await Promise.all(beginnings.map(() => open(door)))
    for (const [index, text] of beginnings.entries()) sockets[index]!.write(text)
    await reads.arrived
    // A second request, of which only a part has come after a whole one.
    const pipelined = await open(door)
    await ask(pipelined, `${LIVE}GET /li`)
    await closeWithin(world, 400, 400)
    for (const socket of [...sockets, pipelined]) await untilClosed(socket)
    assert.deepEqual(
      warnings(world).map(({ connections }) => connections),
      [beginnings.length + 1],
    )
  })

  test(`a request whose rest comes before the drain timeout is answered (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 50, drainTimeoutMs: 60_000 })
    const socket = await open(await listen(world.app, context, place))
    socket.write(CREATE_HEAD)
    const closed = world.app.close()
    await delay(3 * 50)
    assert.equal((await ask(socket, '{"groupId":"a"}')).statusCode, 201)
    await closed
    assert.deepEqual(warnings(world), [])
  })

  test(`no request of many clients in full flight is dropped by a close (${place.title})`, async (context) => {
    const world = testApp({ drainGraceMs: 1_000 })
    const door = await listen(world.app, context, place)
    let answered = 0
    const start = Promise.withResolvers<void>()
    const client = async () => {
      const socket = await open(door)
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
    await closeWithin(world, 1_000, 1_000)
    await clients
    assert.ok(answered >= 500)
  })
}

test('a drain timeout shorter than the grace time ends that too', async (context) => {
  const world = testApp({ drainGraceMs: 60_000, drainTimeoutMs: 100 })
  const socket = await open(await listen(world.app, context))
  socket.write('GET')
  await closeWithin(world, 100, 100)
  await untilClosed(socket)
})

test('connections that are not accepted yet are served also without any grace time', async (context) => {
  const world = testApp({ drainGraceMs: 0, drainTimeoutMs: 10_000 })
  const door = await listen(world.app, context)
  // All are in the queue of the system when the close begins.
  const answers = Array.from({ length: 100 }, () => send(door, 'GET', '/livez'))
  const closed = world.app.close()
  for (const answer of answers) assert.equal((await answer).statusCode, 200)
  await closed
})

test('clients that connect again and again do not hold up the end of a close', async (context) => {
  const world = testApp({ drainGraceMs: 0, drainTimeoutMs: 60_000 })
  const door = await listen(world.app, context)
  let isClosed = false
  const connectAgain = () => {
    const socket = connect(door)
    let isRefused = false
    socket.on('connect', () => socket.write(LIVE))
    socket.on('data', () => socket.end())
    socket.on('error', () => {
      isRefused = true
    })
    socket.on('close', () => {
      if (!isClosed && !isRefused) connectAgain()
    })
  }
  for (let count = 0; count < 64; count += 1) connectAgain()
  await delay(50)
  const closed = world.app.close()
  await within(20_000, closed, 'the close does not take connections until the drain timeout')
  isClosed = true
  assert.deepEqual(warnings(world), [])
})

test('a drain may take longer than the ten seconds that Fastify gives a plugin', async (context) => {
  const world = testApp({ drainGraceMs: 0, drainTimeoutMs: 60_000 })
  const reads = holdReads(world)
  const answer = ask(await open(await listen(world.app, context)), READ)
  await reads.arrived
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const closed = world.app.close()
  for (let turn = 0; turn < 10; turn += 1) await immediate()
  context.mock.timers.tick(59_000)
  reads.answer()
  assert.equal((await answer).statusCode, 404)
  await closed
  assert.deepEqual(warnings(world), [])
})

test('the drain timeout counts from the beginning of the close, with the grace time in it', async (context) => {
  const world = testApp({ drainGraceMs: 2_000, drainTimeoutMs: 2_200 })
  const socket = await open(await listen(world.app, context))
  socket.write('GET')
  await closeWithin(world, 2_200, 2_200)
  await untilClosed(socket)
})

test('an app that does not listen is closed at once', async () => {
  const world = testApp({ drainGraceMs: 60_000, drainTimeoutMs: 60_000 })
  await world.app.inject('/livez')
  await closeWithin(world, 0, 0)
})

test('a close leaves no socket, timer or listener behind', async (context) => {
  const kinds = () =>
    process
      .getActiveResourcesInfo()
      .filter((kind) => /TCP|Timeout/.test(kind))
      .sort()
  // Resources that the first app of a process makes once stay open.
  await testApp().app.close()
  const before = kinds()
  const world = testApp({ drainGraceMs: 20, drainTimeoutMs: 200 })
  const door = await listen(world.app, context, PLACES[1])
  const sockets = await Promise.all([open(door), open(door), open(door)])
  await ask(sockets[0]!, LIVE)
  sockets[1]!.write('GET')
  await world.app.close()
  for (const socket of sockets) await untilClosed(socket)
  // A socket is released some turns after its `close`.
  for (let turn = 0; turn < 1_000 && kinds().length > before.length; turn += 1) await immediate()
  assert.deepEqual(kinds(), before)
})
