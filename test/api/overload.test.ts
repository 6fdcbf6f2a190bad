/**
 * What a connector does when it is asked for more than it can do. The engine answers when a test says so, and
 * the time of the gates is the test's.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pino } from 'pino'
import type { Outcome, ScanPage } from '../../src/group/registry.ts'
import { Admission, type AdmissionOptions } from '../../src/http/admission/admission.ts'
import { LargeBodies } from '../../src/http/admission/large-bodies.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { expectProblem } from './expect.ts'
import { listen, parseAnswer } from './raw-http.ts'
import { type TestApp, testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
const LIST = 'GET /v1/group HTTP/1.1\r\nhost: x\r\n\r\n'

type World = TestApp &
  Readonly<{
    clock: ManualClock
    admission: Admission
    /** The scans that wait for an answer, oldest first: each with the `after` of its request. */
    scans: { after: string | undefined; answer: () => void }[]
  }>

function aWorld(options: Pick<AdmissionOptions, 'sentAhead'> = {}): World {
  const clock = new ManualClock()
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const admission = new Admission({ timeoutMs: 3_000, clock, logger, ...options })
  const world = testApp({ admission, logger, drainTimeoutMs: 50 })
  const scans: World['scans'] = []
  world.registry.scan = ({ after }) => {
    const { promise, resolve } = Promise.withResolvers<Outcome<ScanPage>>()
    scans.push({ after, answer: () => resolve({ kind: 'done', value: { groups: [], after: undefined } }) })
    return promise
  }
  return { ...world, logged, clock, admission, scans }
}

/** Resolves when the condition holds; each turn of the event loop is one attempt. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn += 1) {
    assert.ok(turn < 10_000, 'the condition never held')
    await nextTurn()
  }
}

function warnings({ logged }: World): string[] {
  return logged.map((line) => JSON.parse(line)).flatMap(({ level, msg }) => (level === 40 ? [msg] : []))
}

/** Makes connections, which are closed when the test ends. */
async function aDoor(context: TestContext, { app }: World): Promise<() => Promise<Socket>> {
  const door = await listen(app, context)
  return async () => {
    const socket = connect(door)
    context.after(() => socket.destroy())
    // The server may cut the connection.
    socket.on('error', () => {})
    await once(socket, 'connect')
    return socket
  }
}

test('a flood of one kind is refused at once, and what was admitted is served', async () => {
  const world = aWorld()
  const payload = { groups: [{ groupId: 'g', version: 1, incarnation: 'i', ...TIMES }] }
  const { promise: held, resolve: answer } = Promise.withResolvers<void>()
  const { change } = world.registry
  world.registry.change = async (...args) => {
    await held
    return change.apply(world.registry, args)
  }
  const answers = Array.from({ length: 50 }, () =>
    world.app.inject({ method: 'POST', url: '/v1/restore', payload }),
  )
  const gate = world.admission.gateOf('bulk')
  await until(() => gate.running + gate.waiting + gate.refusedCount === 50)
  assert.deepEqual([gate.running, gate.waiting, gate.refusedCount], [2, 32, 16])
  // Other kinds are not affected.
  assert.equal((await world.app.inject('/v1/group/g')).statusCode, 404)
  answer()
  const byStatus = Map.groupBy(await Promise.all(answers), ({ statusCode }) => statusCode)
  assert.deepEqual([byStatus.get(200)?.length, byStatus.get(503)?.length], [34, 16])
  for (const refused of byStatus.get(503)!) {
    assert.equal(refused.headers['retry-after'], '1')
    assert.equal(expectProblem(refused, 'overloaded').outcome, 'not_applied')
  }
  assert.deepEqual([gate.running, gate.waiting], [0, 0])
  assert.deepEqual(warnings(world), ['requests are refused: there are too many'])
  world.clock.advance(10_000)
  assert.deepEqual(warnings(world).slice(1), ['requests are no longer refused'])
})

test('a connection that pipelines a thousand lists delays the list of another by a few', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const flood = await open()
  flood.write(LIST.repeat(1_000))
  const gate = world.admission.gateOf('list')
  await until(() => world.admission.pipelines.bytes > 0)
  const { waiting } = gate
  const polite = await open()
  polite.write(LIST.replace('/v1/group', '/v1/group?after=polite'))
  await until(() => gate.waiting === waiting + 1)
  for (let served = 0; served < 3; served += 1) {
    await until(() => world.scans.length > served)
    world.scans[served]!.answer()
  }
  await until(() => world.scans.length >= 7)
  assert.ok(world.scans.some(({ after }) => after === 'polite'))
})

test('of the requests that one connection sends ahead a few are worked on, and all are answered in their order', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const socket = await open()
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk
  })
  const numbers = Array.from({ length: 2_000 }, (_, index) => String(index))
  socket.write(numbers.map((number) => LIST.replace('group', `group?after=${number}`)).join(''))
  const gate = world.admission.gateOf('list')
  const { pipelines } = world.admission
  await until(() => pipelines.bytes > 0)
  let most = 0
  const answered = () => received.split('HTTP/1.1 200 OK').length - 1
  for (let served = 0; served < numbers.length; served += 1) {
    await until(() => world.scans.length > served)
    most = Math.max(most, gate.running + gate.waiting)
    world.scans[served]!.answer()
  }
  await until(() => answered() === numbers.length)
  assert.deepEqual(
    world.scans.map(({ after }) => after),
    numbers,
  )
  assert.ok(most <= 16, `${most} requests were worked on at a time`)
  assert.equal(pipelines.bytes, 0)
})

test('a body that is sent behind many requests arrives whole', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const socket = await open()
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk
  })
  const create = (id: string) => {
    // The end of a head is in the middle of it.
    const body = JSON.stringify({ groupId: id, description: 'd'.repeat(1_000) }, null, '\r\n\r\n')
    return `POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  }
  const ids = Array.from({ length: 300 }, (_, index) => `g${index}`)
  // The pieces end anywhere.
  const text = ids.map(create).join('')
  for (let at = 0; at < text.length; at += 7_919) {
    socket.write(text.slice(at, at + 7_919))
    await nextTurn()
  }
  await until(() => received.split('HTTP/1.1 ').length - 1 === ids.length)
  assert.deepEqual(new Set(received.match(/HTTP\/1.1 \d+/g)), new Set(['HTTP/1.1 201']))
  assert.equal((await world.app.inject('/v1/group/g299')).json().description.length, 1_000)
})

test('an unknown method behind other requests is told as one, whatever other connections send until then', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const [socket, other] = [await open(), await open()]
  let received = ''
  socket.on('data', (chunk: Buffer) => {
    received += chunk
  })
  socket.write(`${LIST}FETCH /v1/group HTTP/1.1\r\nhost: x\r\n\r\n`)
  await until(() => world.scans.length === 1)
  other.write(`GET /v1/group/${'x'.repeat(500)} HTTP/1.1\r\nhost: x\r\n\r\n`)
  await once(other, 'data')
  world.scans[0]!.answer()
  await until(() => received.includes('method_not_implemented'))
})

test('who sends more ahead than there is room for loses the connection, and no other', async (context) => {
  const world = aWorld({ sentAhead: new LargeBodies(20_000) })
  const { pipelines } = world.admission
  const open = await aDoor(context, world)
  const [greedy, modest] = [await open(), await open()]
  modest.write(LIST.repeat(20))
  await until(() => pipelines.bytes > 0)
  greedy.write(LIST.repeat(2_000))
  await until(() => greedy.destroyed)
  assert.equal(pipelines.cutCount, 1)
  assert.equal(modest.destroyed, false)
})

test('requests of a client that has left are not worked on', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const socket = await open()
  socket.write(LIST.repeat(100))
  const gate = world.admission.gateOf('list')
  await until(() => gate.waiting > 0)
  socket.destroy()
  // The server sees the end of the connection a little later.
  await until(() => {
    for (const { answer } of world.scans) answer()
    return gate.running === 0 && gate.waiting === 0
  })
  assert.ok(world.scans.length < 100)
  assert.equal(gate.refusedCount, 0)
})

test('a list that does not get its turn in a third of the timeout is refused', async () => {
  const world = aWorld()
  const answers = Array.from({ length: 6 }, () => world.app.inject('/v1/group'))
  await until(() => world.admission.gateOf('list').waiting === 2)
  world.clock.advance(1_250)
  expectProblem(await Promise.race(answers), 'overloaded')
  for (const { answer } of world.scans) answer()
  const statuses = (await Promise.all(answers)).map(({ statusCode }) => statusCode)
  assert.deepEqual(statuses.toSorted(), [200, 200, 200, 200, 503, 503])
})

test('whether the process lives and can serve is answered, however much it has to do', async () => {
  const world = aWorld()
  const answers = Array.from({ length: 2_060 }, () => world.app.inject('/v1/group'))
  await until(() => world.admission.gateOf('list').refusedCount > 0)
  for (const path of ['/livez', '/readyz', '/metrics', '/v1/cluster']) {
    assert.equal((await world.app.inject(path)).statusCode, 200, path)
  }
  world.admission.close()
  for (const { answer } of world.scans) answer()
  await Promise.all(answers)
})

test('large bodies that arrive slowly take a bounded room, and give it back when they are cut off', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const head = `POST /v1/restore HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${1_000_000}\r\n\r\n{`
  const sockets = []
  for (let count = 0; count < 40; count += 1) {
    const socket = await open()
    socket.write(head)
    sockets.push(socket)
  }
  const gate = world.admission.gateOf('bulk')
  await until(() => world.admission.bodies.bytes + gate.refusedCount * 1_000_000 === 40_000_000)
  // One caller gets half of 64 MiB, and at most one body more.
  assert.equal(world.admission.bodies.bytes, 34_000_000)
  for (const socket of sockets) socket.destroy()
  await until(() => world.admission.bodies.bytes === 0)
})

test('a body waits unparsed, and one that is no JSON is refused when its turn comes', async () => {
  const world = aWorld()
  const { promise: held, resolve: answer } = Promise.withResolvers<void>()
  const { change } = world.registry
  world.registry.change = async (...args) => {
    await held
    return change.apply(world.registry, args)
  }
  const payload = { groups: [{ groupId: 'g', version: 1, incarnation: 'i', ...TIMES }] }
  const good = [1, 2].map(() => world.app.inject({ method: 'POST', url: '/v1/restore', payload }))
  const gate = world.admission.gateOf('bulk')
  await until(() => gate.running === 2)
  const headers = { 'content-type': 'application/json' }
  const bad = world.app.inject({ method: 'POST', url: '/v1/restore', headers, payload: '{' })
  await until(() => gate.waiting === 1)
  answer()
  expectProblem(await bad, 'invalid_json')
  assert.deepEqual(
    (await Promise.all(good)).map(({ statusCode }) => statusCode),
    [200, 200],
  )
  assert.equal(gate.running, 0)
})

test('a client that does not read a large answer loses its connection when others need the room', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const description = 'd'.repeat(1_000)
  const groups = Array.from({ length: 1_000 }, (_, index) => ({
    groupId: `g${index}`,
    description,
    version: 1,
    incarnation: 'i',
    ...TIMES,
  }))
  world.registry.scan = async () => ({ kind: 'done', value: { groups, after: undefined } })
  const slow = await open()
  slow.pause()
  // Each answer has more than a megabyte, and the system takes some of them.
  slow.write(LIST.repeat(100))
  const { answers } = world.admission
  for (let count = 0; answers.cutCount === 0 && count < 100; count += 1) {
    const other = await open()
    other.pause()
    other.write(LIST.repeat(20))
    await nextTurn()
  }
  await until(() => answers.cutCount > 0)
  const reader = await open()
  reader.write(LIST.replace('host: x', 'host: x\r\nconnection: close'))
  const chunks: Buffer[] = []
  reader.on('data', (chunk: Buffer) => void chunks.push(chunk))
  await once(reader, 'close')
  assert.equal(parseAnswer(Buffer.concat(chunks).toString()).statusCode, 200)
})

test('the answers to clients that have left are not counted as unread any more', async (context) => {
  const world = aWorld()
  const open = await aDoor(context, world)
  const group = { groupId: 'g', description: 'd'.repeat(1_000), version: 1, incarnation: 'i', ...TIMES }
  const groups = Array.from({ length: 20_000 }, () => group)
  world.registry.scan = async () => ({ kind: 'done', value: { groups, after: undefined } })
  const { answers } = world.admission
  const clients = await Promise.all([open(), open()])
  for (const client of clients) client.pause().write(LIST)
  // Far more than the system takes.
  await until(() => answers.bytes > 2 * 20_000_000)
  for (const client of clients) client.destroy()
  await until(() => answers.bytes === 0)
  assert.equal(answers.cutCount, 0)
})
