import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  Client,
  credentials,
  loadPackageDefinition,
  type Server,
  ServerCredentials,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import { protoPath as HEALTH_PROTO } from 'grpc-health-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord as RegisterRecord } from '../register/messages.ts'
import { encodeRequestBatch } from '../rpc/codec.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import type { AnswerBatch, KeyedRequest, RequestBatch } from '../rpc/messages.ts'
import { nodeService } from '../rpc/service.ts'
import { NodeHandler } from './handler.ts'
import { buildNodeService } from './service.ts'
import { SqliteStore } from './sqlite-store.ts'

/** A real node on a real store and a real socket, in this process. */
async function aNode(t: TestContext, port = 0) {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-service-'))
  const store = new SqliteStore(join(directory, 'node.db'))
  const failures: unknown[] = []
  const handler = new NodeHandler({
    store,
    version: '1.2.3',
    defer: setImmediate,
    onFatal: (error) => failures.push(error),
  })
  const service = buildNodeService(handler)
  const address = `127.0.0.1:${await listen(service.server, port)}`
  t.after(() => {
    service.server.forceShutdown()
    store.close()
    rmSync(directory, { recursive: true })
  })
  return { ...service, handler, store, address, failures }
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    )
  })
}

function aTransport(t: TestContext, address: string) {
  const transport = connectGrpc(address)
  t.after(() => transport.close())
  return transport
}

/** A stream on which the test waits for what comes next. */
function aStream(transport: ReturnType<typeof connectGrpc>) {
  const answers: AnswerBatch[] = []
  const closed = Promise.withResolvers<string>()
  let closeCount = 0
  let wake = () => {}
  const stream = transport.open({
    onAnswers: (batch) => {
      assert.equal(closeCount, 0)
      answers.push(batch)
      wake()
    },
    onClose: (reason) => {
      closeCount++
      closed.resolve(reason)
    },
  })
  const next = async (): Promise<AnswerBatch> => {
    while (answers.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const batch = answers.shift()
    assert.ok(batch !== undefined)
    return batch
  }
  return { stream, next, closed: closed.promise, closeCount: () => closeCount }
}

/** A client of any service, from its proto as any gRPC tool would make it. */
function aForeignClient(t: TestContext, definition: PackageDefinition, name: string, address: string) {
  let found: unknown = loadPackageDefinition(definition)
  for (const part of name.split('.')) found = (found as Record<string, unknown>)[part]
  const client = new (found as ServiceClientConstructor)(address, credentials.createInsecure())
  t.after(() => client.close())
  return client
}

function aBatch(nodeId: string, batchId: number, requests: KeyedRequest[]): RequestBatch {
  return { batchId, clusterId: '', epoch: 0, nodeId, membership: undefined, sentMs: 0, lifeMs: 0, requests }
}

function anAccept(key: string, value: Uint8Array): KeyedRequest {
  const writeId = { proposerId: 2 ** 52 - 1, sequence: 1 }
  const state = { generation: 1, writeId, lineage: [writeId], value }
  const ballot = { round: 1, proposerId: 0 }
  return { key, request: { kind: 'accept', ballot, state, next: { round: 2, proposerId: 0 } } }
}

function recordOf({ request }: KeyedRequest): RegisterRecord {
  assert.ok(request.kind === 'accept')
  return {
    promised: request.next,
    accepted: request.ballot,
    state: request.state,
    chosen: false,
    isStub: false,
  }
}

test('batches travel there and back, and the state that was sent comes back as the same object', async (t) => {
  const { address } = await aNode(t)
  const transport = aTransport(t, address)
  const { nodeId, ...rest } = await transport.describe(2_000)
  assert.deepEqual(rest, {
    membership: undefined,
    version: '1.2.3',
    recordCount: 0,
    tombstoneCount: 0,
    stubCount: 0,
  })
  const { stream, next } = aStream(transport)
  const written = anAccept('cluster/x', Buffer.from('x'))
  const reading: KeyedRequest = { key: 'cluster/x', request: { kind: 'read' } }
  stream.send(aBatch(nodeId, 1, [written, reading]))
  stream.send(aBatch(nodeId, 2, [reading]))
  const first = await next()
  assert.deepEqual(first.answers[0], { ok: true, record: recordOf(written) })
  assert.equal(first.answers[0]?.record.state, 'state' in written.request && written.request.state)
  assert.deepEqual((await next()).answers, [{ ok: true, record: recordOf(written) }])
  assert.equal((await transport.describe(2_000)).recordCount, 1)
})

test('a closed stream says so once, and a closed transport closes its streams and opens no more', async (t) => {
  const { address } = await aNode(t)
  const transport = aTransport(t, address)
  const { nodeId } = await transport.describe(2_000)
  const closing = aStream(transport)
  closing.stream.close()
  closing.stream.close()
  await closing.closed
  closing.stream.send(aBatch(nodeId, 1, []))
  assert.equal(closing.closeCount(), 1)

  const open = aStream(transport)
  transport.close()
  await open.closed
  assert.equal(await aStream(transport).closed, 'the transport is closed')
})

test('a node that is not there closes the stream and refuses to be described', async (t) => {
  const transport = aTransport(t, '127.0.0.1:1')
  assert.match(await aStream(transport).closed, /ECONNREFUSED|No connection established/)
  await assert.rejects(transport.describe(2_000), /127\.0\.0\.1:1 did not describe itself/)
  await assert.rejects(
    transport.scan({ start: '', end: '', omitValues: false })[Symbol.asyncIterator]().next(),
  )
})

test('a node that returns is used again within two seconds', async (t) => {
  const first = await aNode(t)
  const transport = aTransport(t, first.address)
  await transport.describe(2_000)
  first.server.forceShutdown()
  // Long enough for the waits between attempts to reach their longest.
  const isAway = Date.now() + 2_000
  while (Date.now() < isAway) {
    await assert.rejects(transport.describe(500))
    await wait(100)
  }
  await aNode(t, Number(first.address.split(':')[1]))
  const returnedAt = Date.now()
  while (
    (await transport.describe(500).catch(() => undefined)) === undefined &&
    Date.now() - returnedAt < 5_000
  ) {
    await wait(20)
  }
  assert.ok(Date.now() - returnedAt < 2_000, `${Date.now() - returnedAt} ms`)
})

test('malformed bytes end the stream with INVALID_ARGUMENT and the reason, and are not acted on', async (t) => {
  const { address, store, failures } = await aNode(t)
  const client = new Client(address, credentials.createInsecure())
  t.after(() => client.close())
  const { path, requestSerialize, responseDeserialize } = nodeService.exchange
  const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
  call.resume()
  call.write(Buffer.from('this is no batch'))
  const [error] = await once(call, 'error')
  assert.equal(error.code, status.INVALID_ARGUMENT)
  assert.match(error.details, /a batch cannot be read: /)
  assert.equal(store.inventory.counts.recordCount, 0)
  assert.deepEqual(failures, [])
})

test('a scan that is aborted ends with an error, whatever the node does', async (t) => {
  const { address, store } = await aNode(t)
  store.transaction(() => {
    for (let i = 0; i < 6_000; i += 1) {
      const key = `group/${i}`
      store.save(key, EMPTY_RECORD, recordOf(anAccept(key, Buffer.from(key))))
    }
  })
  const transport = aTransport(t, address)
  const range = { start: '', end: '', omitValues: true }
  await assert.rejects(Array.fromAsync(transport.scan(range, AbortSignal.abort())), { name: 'AbortError' })
  const controller = new AbortController()
  const pages = transport.scan(range, controller.signal)[Symbol.asyncIterator]()
  assert.equal((await pages.next()).value?.length, 128)
  controller.abort()
  await assert.rejects(async () => {
    while (!(await pages.next()).done);
  }, /ended early/)
})

test('a reader that is slow leaves no listeners behind', async (t) => {
  const { address, handler } = await aNode(t)
  // More than fits between the two, dozens of times over.
  const key = 'group/x'
  const entry = { key, record: recordOf(anAccept(key, Buffer.alloc(512 * 1024))) }
  let pages = 0
  handler.scan = () => {
    pages += 1
    return { entries: [entry], nextStart: pages < 400 ? key : undefined }
  }
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.after(() => process.off('warning', onWarning))
  let read = 0
  for await (const page of aTransport(t, address).scan({ start: '', end: '', omitValues: false })) {
    read += page.length
    await wait(1)
  }
  assert.equal(read, pages)
  assert.deepEqual(warnings, [])
})

test('a scan gives every record in order, without values on request, and may be left early', async (t) => {
  const { address, store } = await aNode(t)
  const keys = Array.from({ length: 300 }, (_, i) => `group/${String(i).padStart(5, '0')}`)
  store.transaction(() => {
    for (const key of keys) store.save(key, EMPTY_RECORD, recordOf(anAccept(key, Buffer.from(key))))
  })
  const transport = aTransport(t, address)
  const pages = await Array.fromAsync(transport.scan({ start: '', end: '', omitValues: false }))
  assert.deepEqual(
    pages.flat().map(({ key }) => key),
    keys,
  )
  assert.deepEqual(
    pages.map((page) => page.length),
    [128, 128, 44],
  )
  assert.equal(pages[0]?.[7]?.record.state.value?.toString(), keys[7])
  const range = { start: 'group/00003', end: 'group/00005', omitValues: true }
  const bare = (await Array.fromAsync(transport.scan(range))).flat()
  assert.deepEqual(
    bare.map(({ key, record }) => [key, record.state.value]),
    [
      ['group/00003', undefined],
      ['group/00004', undefined],
    ],
  )
  for await (const page of transport.scan({ start: '', end: '', omitValues: false })) {
    assert.equal(page.length, 128)
    break
  }
  assert.equal((await transport.describe(2_000)).recordCount, 300)
  const recipient = { clusterId: 'c', epoch: 7, nodeId: 'another' }
  await assert.rejects(
    Array.fromAsync(transport.scan({ start: '', end: '', omitValues: false, recipient })),
    /for another node, or for another epoch/,
  )
})

test('who does not take its answers is not read from any further', async (t) => {
  const { address, store } = await aNode(t)
  const large = anAccept('cluster/large', Buffer.alloc(500_000))
  store.transaction(() => store.save(large.key, EMPTY_RECORD, recordOf(large)))
  let handled = 0
  t.mock.method(store, 'load', (key: string) => {
    handled++
    return SqliteStore.prototype.load.call(store, key)
  })
  // Plain HTTP/2: grpc-js's own client takes everything in, whether anybody reads it or not.
  const session = connectHttp2(`http://${address}`)
  t.after(() => session.destroy())
  const call = session.request({
    ':method': 'POST',
    ':path': nodeService.exchange.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  for (let batchId = 1; batchId <= 500; batchId++) {
    const reading: KeyedRequest = { key: large.key, request: { kind: 'read' } }
    const bytes = encodeRequestBatch(aBatch(store.nodeId, batchId, [reading]))
    const head = Buffer.alloc(5)
    head.writeUInt32BE(bytes.length, 1)
    call.write(Buffer.concat([head, bytes]))
  }
  // The node must come to rest long before 500 answers of half a megabyte.
  let before = -1
  while (before !== handled || handled === 0) {
    before = handled
    await wait(200)
  }
  assert.ok(handled < 100, `${handled} handled`)
  let receivedBytes = 0
  for await (const chunk of call) {
    receivedBytes += chunk.length
    if (receivedBytes > 500 * 500_000) break
  }
  assert.equal(handled, 500)
})

test('health checks answer for the server and for the service, and follow the node', async (t) => {
  const { address, setServing } = await aNode(t)
  const client = aForeignClient(
    t,
    loadSync(HEALTH_PROTO, { enums: String }),
    'grpc.health.v1.Health',
    address,
  )
  const check = (service: string) =>
    new Promise((resolve, reject) => {
      client.Check?.({ service }, (error: Error | null, answer: { status: string }) =>
        error === null ? resolve(answer.status) : reject(error),
      )
    })
  for (const service of ['', 'cohort.v1.Node']) {
    setServing(true)
    assert.equal(await check(service), 'SERVING')
    setServing(false)
    assert.equal(await check(service), 'NOT_SERVING')
  }
  await assert.rejects(check('another'), { code: status.NOT_FOUND })
})

test('reflection names the services and gives their descriptors', async (t) => {
  const { address } = await aNode(t)
  const proto = new URL(
    '../../node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto',
    import.meta.url,
  )
  const client = aForeignClient(
    t,
    loadSync(fileURLToPath(proto)),
    'grpc.reflection.v1.ServerReflection',
    address,
  )
  const call = client.ServerReflectionInfo?.()
  call.write({ listServices: '' })
  const [listed] = await once(call, 'data')
  const names = listed.listServicesResponse.service.map(({ name }: { name: string }) => name)
  assert.ok(names.includes('cohort.v1.Node') && names.includes('grpc.health.v1.Health'), names.join())
  call.write({ fileContainingSymbol: 'cohort.v1.Node' })
  const [described] = await once(call, 'data')
  const files: Buffer[] = described.fileDescriptorResponse.fileDescriptorProto
  assert.ok(files.some((file) => file.includes('RequestBatch') && file.includes('Exchange')))
  call.end()
})

test('a drain answers what was sent and ends the streams', async (t) => {
  const { address, drain } = await aNode(t)
  const transport = aTransport(t, address)
  const { nodeId } = await transport.describe(2_000)
  const { stream, next, closed } = aStream(transport)
  stream.send(aBatch(nodeId, 1, []))
  await next()
  await drain(2_000)
  assert.equal(await closed, 'the node ended the stream')
})
