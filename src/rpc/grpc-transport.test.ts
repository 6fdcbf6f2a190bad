/**
 * The answers of a node to calls, and which of them are refused. Batches:
 * `src/replication/lying-node.test.ts`.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { Client, status } from '@grpc/grpc-js'
import fc from 'fast-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord } from '../register/messages.ts'
import { type Lie, LyingNode } from '../testing/lying-node.ts'
import { rawMessage } from '../testing/wire-reference.ts'
import { connectGrpc } from './grpc-transport.ts'
import type { ScanRange } from './messages.ts'
import { encodeScanPage } from './scan-codec.ts'

const DEADLINE_MS = 5_000
const RECORD: KeyRecord = { ...EMPTY_RECORD, promised: { round: 2, proposerId: 1 } }
const RANGE: ScanRange = { start: 'group/', end: 'group0', omitValues: true }
const DIGEST = { clusterId: 'c', epoch: 1, nodeId: 'n1', branches: [] }

async function aNode(t: TestContext, lie: Lie = {}) {
  const node = await LyingNode.start(t, 'n1')
  for (const id of ['a', 'b', 'c', 'd', 'e', 'f']) node.records.set(`group/${id}`, RECORD)
  node.lie = lie
  const malformed: string[] = []
  const onMalformed = (_address: string, reason: string) => malformed.push(reason)
  const transport = connectGrpc(node.address, { onMalformed })
  t.after(() => transport.close())
  const scan = (range: Partial<ScanRange> = {}) =>
    Array.fromAsync(transport.scan({ ...RANGE, ...range }, AbortSignal.timeout(DEADLINE_MS)))
  return { node, transport, malformed, scan }
}

test('a node that tells the truth is understood, and nothing is reported', async (t) => {
  const { transport, malformed, scan } = await aNode(t)
  assert.equal((await transport.describe(DEADLINE_MS)).nodeId, 'n1')
  assert.equal((await transport.digest(DIGEST, DEADLINE_MS)).digests.length, 256)
  assert.equal((await transport.digest({ ...DIGEST, branches: [1, 7] }, DEADLINE_MS)).digests.length, 512)
  assert.equal((await scan()).flat().length, 6)
  assert.equal((await scan({ limit: 3 })).flat().length, 3)
  assert.deepEqual(malformed, [])
})

const MEMBERSHIP = {
  clusterId: 'c',
  epoch: 1,
  members: [{ nodeId: 'n1', address: 'h:1' }],
  tombstoneGraceMs: 3_600_000,
}

const DESCRIPTIONS: [string, RegExp, object][] = [
  ['no node id', /names no node/, { version: '1' }],
  ['an endless node id', /a name is longer than 512/, { nodeId: 'n'.repeat(100_000) }],
  ['no members', /has no members/, { nodeId: 'n1', membership: { ...MEMBERSHIP, members: [] } }],
  [
    'eight members',
    /more than 7 members/,
    {
      nodeId: 'n1',
      membership: {
        ...MEMBERSHIP,
        members: Array.from({ length: 8 }, (_, i) => ({ nodeId: `${i}`, address: 'h:1' })),
      },
    },
  ],
  ...[
    '',
    'h',
    'h:',
    ':1',
    'unix:/tmp/x',
    'dns:///h:1',
    'http://h:1',
    'a b:1',
    '[::1',
    'h:1/x',
    'h:123456',
  ].map((address): [string, RegExp, object] => [
    `the address ${JSON.stringify(address)}`,
    /an address that is not host:port/,
    { nodeId: 'n1', membership: { ...MEMBERSHIP, members: [{ nodeId: 'n1', address }] } },
  ]),
  [
    'an endless epoch',
    /the epoch 9007199254740991/,
    { nodeId: 'n1', membership: { ...MEMBERSHIP, epoch: 2 ** 53 - 1 } },
  ],
  [
    'a grace time that ends every operation at once',
    /a grace time of tombstones of 1 ms/,
    { nodeId: 'n1', membership: { ...MEMBERSHIP, tombstoneGraceMs: 1 } },
  ],
]

for (const [what, reason, description] of DESCRIPTIONS) {
  test(`a description with ${what} is no description`, async (t) => {
    const { transport, malformed } = await aNode(t, {
      describe: () => [rawMessage('DescribeAnswer', description)],
    })
    await assert.rejects(transport.describe(DEADLINE_MS), reason)
    assert.equal(malformed.length, 1)
    assert.match(malformed[0]!, reason)
  })
}

const DIGESTS: [string, RegExp, object][] = [
  ['none', /0 digests instead of 256/, {}],
  ['too few', /255 digests instead of 256/, { digests: Array(255).fill(1) }],
  ['too many', /257 digests instead of 256/, { digests: Array(257).fill(1) }],
  ['endless ones', /more than 65536 integers/, { digests: Array(70_000).fill(1) }],
  ['ones that are not exact', /above 2\^53 - 1/, { digests: Array(256).fill(2 ** 60) }],
  [
    'and a mismatch',
    /both digests and a mismatch/,
    { digests: Array(256).fill(1), mismatch: { nodeId: 'x' } },
  ],
]

for (const [what, reason, answer] of DIGESTS) {
  test(`an answer with the wrong digests is no answer: ${what}`, async (t) => {
    const { transport, malformed } = await aNode(t, { digest: () => [rawMessage('DigestAnswer', answer)] })
    await assert.rejects(transport.digest(DIGEST, DEADLINE_MS), reason)
    assert.equal(malformed.length, 1)
  })
}

function aPage(...ids: readonly string[]): Uint8Array {
  return encodeScanPage(
    ids.map((id) => ({ key: `group/${id}`, record: RECORD })),
    true,
  )
}

const SCANS: [string, RegExp, readonly Uint8Array[], Partial<ScanRange>?][] = [
  ['keys out of order', /out of order: 'group\/a' comes after 'group\/b'/, [aPage('b', 'a')]],
  ['a key twice', /out of order/, [aPage('a', 'a')]],
  [
    'a page that goes back: who goes on after it would never end',
    /out of order/,
    [aPage('a', 'b'), aPage('b', 'c')],
  ],
  ['a key before the range', /not in its range/, [aPage('a')], { start: 'group/b' }],
  ['a key after the range', /not in its range/, [aPage('b')], { end: 'group/b' }],
  ['more than was asked for', /more records than the 2/, [aPage('a', 'b'), aPage('c')], { limit: 2 }],
  [
    'a page of 513',
    /more than 512 records/,
    [aPage(...Array.from({ length: 513 }, (_, i) => `${1_000 + i}`))],
  ],
  [
    'a key of no namespace',
    /none of the namespaces/,
    [rawMessage('ScanPage', { entries: [{ key: 'x', record: {} }] })],
  ],
  ['an entry without a record', /has no record/, [rawMessage('ScanPage', { entries: [{ key: 'group/x' }] })]],
  ['bytes', /cannot be read/, [Buffer.from('nonsense')]],
]

for (const [what, reason, pages, range] of SCANS) {
  test(`a scan that shows what it cannot ends with an error: ${what}`, async (t) => {
    const { malformed, scan } = await aNode(t, { scan: () => pages })
    await assert.rejects(scan(range), reason)
    assert.equal(malformed.length, 1)
  })
}

test('a node that answers a question with an error, any bytes or nothing fails the question alone', async (t) => {
  const { node, transport, scan } = await aNode(t)
  for (const code of [status.UNAVAILABLE, status.INTERNAL, status.RESOURCE_EXHAUSTED]) {
    const fail = () => ({ code, details: 'for no reason' })
    node.lie = { describe: fail, digest: fail, scan: fail }
    await assert.rejects(transport.describe(DEADLINE_MS), /for no reason/)
    await assert.rejects(transport.digest(DIGEST, DEADLINE_MS), /for no reason/)
    await assert.rejects(scan(), /for no reason/)
  }
  node.lie = { describe: () => 'silence', digest: () => 'silence', scan: () => 'silence' }
  await assert.rejects(transport.describe(50), /did not describe itself/)
  await assert.rejects(transport.digest(DIGEST, 50), /did not tell its digests/)
  await assert.rejects(Array.fromAsync(transport.scan(RANGE, AbortSignal.timeout(50))), /ended early/)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
      node.lie = { describe: () => [bytes], digest: () => [bytes], scan: () => [bytes] }
      await Promise.allSettled([
        transport.describe(DEADLINE_MS),
        transport.digest(DIGEST, DEADLINE_MS),
        scan(),
      ])
    }),
    { numRuns: 100 },
  )
  node.lie = {}
  assert.equal((await transport.describe(DEADLINE_MS)).nodeId, 'n1')
})

/** A server that speaks HTTP/2, and gRPC only as far as the test makes it. */
async function anHttp2Server(t: TestContext, onStream: (stream: ServerHttp2Stream) => void) {
  const server = createServer()
  server.on('session', (session) => session.on('error', () => undefined))
  server.on('stream', (stream: ServerHttp2Stream) => {
    stream.on('error', () => undefined)
    onStream(stream)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const GRPC = { ':status': 200, 'content-type': 'application/grpc' }

/** Responds as a gRPC server does, with these bytes as its whole body. */
function respondWith(bytes: readonly number[], headers: object = GRPC) {
  return (stream: ServerHttp2Stream) => {
    stream.respond({ ...headers })
    stream.end(Buffer.from(bytes))
  }
}

const FRAMES: [string, (stream: ServerHttp2Stream) => void][] = [
  ['status 500', (stream) => stream.respond({ ':status': 500 }, { endStream: true })],
  ['a page of HTML', respondWith([...Buffer.from('<p>')], { ':status': 200, 'content-type': 'text/html' })],
  [
    'a status that is no number',
    (stream) => stream.respond({ ...GRPC, 'grpc-status': 'x' }, { endStream: true }),
  ],
  ['no status', respondWith([])],
  ['a message that is cut off', respondWith([0, 0, 0, 0, 99, 1])],
  ['a message that says it is compressed', respondWith([1, 0, 0, 0, 1, 7])],
  ['a message of 4 GB, as it says', respondWith([0, 255, 255, 255, 255, 1])],
  [
    'a stream that is reset',
    (stream) => {
      stream.respond(GRPC)
      stream.close(2)
    },
  ],
  ['a connection that is closed', (stream) => stream.session?.destroy()],
  ['a connection that goes away', (stream) => stream.session?.goaway(0)],
]

for (const [what, answer] of FRAMES) {
  test(`a server that is no node fails questions and ends streams, and no more: ${what}`, async (t) => {
    const address = await anHttp2Server(t, answer)
    const transport = connectGrpc(address)
    t.after(() => transport.close())
    await assert.rejects(transport.describe(500))
    await assert.rejects(transport.digest(DIGEST, 500))
    await assert.rejects(Array.fromAsync(transport.scan(RANGE, AbortSignal.timeout(500))))
    const reason = await new Promise<string>((resolve) => {
      const stream = transport.open({ onAnswers: () => assert.fail('it answers nothing'), onClose: resolve })
      const header = { clusterId: '', epoch: 0, nodeId: 'n1', membership: undefined, sentMs: 0, lifeMs: 0 }
      stream.send({ batchId: 1, ...header, requests: [] })
      // The owner of a stream must give up a stream that the server leaves open.
      setTimeout(() => stream.close(), 500).unref()
    })
    assert.notEqual(reason, '')
  })
}

test('only a patient call waits for a node that could not be reached a moment ago', async (t) => {
  const unused = createTcpServer().listen(0, '127.0.0.1')
  await once(unused, 'listening')
  const { port } = unused.address() as AddressInfo
  await promisify(unused.close.bind(unused))()
  const transport = connectTo(t, port)
  await assert.rejects(transport.describe(DEADLINE_MS))
  const patient = transport.describe(DEADLINE_MS, true)
  await assert.rejects(transport.describe(DEADLINE_MS), 'it does not try again yet')
  await LyingNode.start(t, 'n1', port)
  assert.equal((await patient).nodeId, 'n1')
  const startMs = performance.now()
  await assert.rejects(connectTo(t, port + 1).describe(200, true), /did not describe itself/)
  assert.ok(performance.now() - startMs < DEADLINE_MS, 'patience ends with the time')
})

/** A transport to a port at which nobody need listen. */
function connectTo(t: TestContext, port: number) {
  const transport = connectGrpc(`127.0.0.1:${port}`)
  t.after(() => transport.close())
  return transport
}

test('a host that is named like a scheme of gRPC is a host', async (t) => {
  for (const host of ['unix', 'xds', 'ipv4']) {
    const transport = connectGrpc(`${host}:1`)
    t.after(() => transport.close())
    await assert.rejects(transport.describe(300), /did not describe itself/)
  }
})

test('a transport that is closed ends its streams, questions and scans at once, and begins none', async (t) => {
  const { node, transport, scan } = await aNode(t)
  node.lie = { exchange: () => {}, describe: () => 'silence', digest: () => 'silence', scan: () => 'silence' }
  const closed = Promise.withResolvers<string>()
  transport.open({ onAnswers: () => assert.fail('it answers nothing'), onClose: closed.resolve })
  const all = [transport.describe(DEADLINE_MS), transport.digest(DIGEST, DEADLINE_MS), scan()]
  const ends = Promise.allSettled(all)
  await new Promise((resolve) => setTimeout(resolve, 50))
  const startMs = performance.now()
  transport.close()
  for (const { status } of await ends) assert.equal(status, 'rejected')
  await closed.promise
  const tookMs = performance.now() - startMs
  assert.ok(tookMs < 1_000, `${tookMs} ms`)
  await assert.rejects(transport.describe(DEADLINE_MS), /the transport is closed/)
  await assert.rejects(transport.digest(DIGEST, DEADLINE_MS), /the transport is closed/)
  await assert.rejects(scan(), /the transport is closed/)
})

test('a question that was answered is forgotten, and one without an answer takes as long as it may', async (t) => {
  const make = t.mock.method(Client.prototype, 'makeUnaryRequest')
  const { transport } = await aNode(t)
  const beforeMs = Date.now()
  for (let time = 0; time < 3; time += 1) await transport.describe(DEADLINE_MS)
  const { deadline } = make.mock.calls[0]!.arguments.find(
    (given): given is { deadline: number } =>
      typeof given === 'object' && given !== null && 'deadline' in given,
  )!
  assert.ok(deadline >= beforeMs + DEADLINE_MS && deadline <= Date.now() + DEADLINE_MS, `${deadline}`)
  const cancels = make.mock.calls.map(({ result }) => t.mock.method(result as { cancel(): void }, 'cancel'))
  transport.close()
  assert.deepEqual(
    cancels.map(({ mock }) => mock.callCount()),
    [0, 0, 0],
  )
})

test('a scan that is left early, and a stream that cannot be trusted any more, are cancelled', async (t) => {
  const scans = t.mock.method(Client.prototype, 'makeServerStreamRequest')
  const streams = t.mock.method(Client.prototype, 'makeBidiStreamRequest')
  const { node, transport } = await aNode(t)
  for await (const page of transport.scan(RANGE)) {
    assert.ok(page.length > 0)
    t.mock.method(scans.mock.calls[0]!.result as { cancel(): void }, 'cancel')
    break
  }
  const cancelCount = (call: unknown) =>
    (call as { cancel: { mock: { callCount: () => number } } }).cancel.mock.callCount()
  assert.equal(cancelCount(scans.mock.calls[0]!.result), 1)
  node.lie = { everyBatch: ({ send }) => send(Uint8Array.of(255)) }
  const closed = Promise.withResolvers<boolean | undefined>()
  const stream = transport.open({
    onAnswers: () => assert.fail('it is no answer'),
    onClose: (_reason, isMalformed) => closed.resolve(isMalformed),
  })
  t.mock.method(streams.mock.calls[0]!.result as { cancel(): void }, 'cancel')
  const request = { clusterId: '', epoch: 0, nodeId: 'n1', membership: undefined, sentMs: 0, lifeMs: 0 }
  stream.send({ ...request, batchId: 1, requests: [] })
  assert.equal(await closed.promise, true)
  assert.equal(cancelCount(streams.mock.calls[0]!.result), 1)
})
