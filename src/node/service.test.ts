import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import {
  Client,
  credentials,
  loadPackageDefinition,
  type ServiceClientConstructor,
  status,
} from '@grpc/grpc-js'
import { loadSync, type PackageDefinition } from '@grpc/proto-loader'
import { protoPath as HEALTH_PROTO } from 'grpc-health-check'
import type { ChangesPosition, KeyedRequest } from '../rpc/messages.ts'
import { aBatch, aNode, anAccept, aStream, aTransport, recordOf } from '../testing/node-service.ts'
import { assertNothingLeft, liveCount, processCounts } from '../testing/resource-counts.ts'
import { Exchange } from './exchange.ts'

/** A client of any service, from its proto as any gRPC tool would make it. */
function aForeignClient(t: TestContext, definition: PackageDefinition, name: string, address: string) {
  let found: unknown = loadPackageDefinition(definition)
  for (const part of name.split('.')) found = (found as Record<string, unknown>)[part]
  const client = new (found as ServiceClientConstructor)(address, credentials.createInsecure())
  t.after(() => client.close())
  return client
}

function aReflectionClient(t: TestContext, version: string, address: string) {
  const proto = new URL(
    `../../node_modules/@grpc/reflection/build/proto/grpc/reflection/${version}/reflection.proto`,
    import.meta.url,
  )
  const definition = loadSync(fileURLToPath(proto))
  return aForeignClient(t, definition, `grpc.reflection.${version}.ServerReflection`, address)
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
    damagedCount: 0,
    healedCount: 0,
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

test('if no node listens at the address, the stream closes and the description fails', async (t) => {
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
  first.close()
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

for (const version of ['v1', 'v1alpha']) {
  test(`reflection (${version}) names the services and gives their descriptors`, async (t) => {
    const { address } = await aNode(t)
    const client = aReflectionClient(t, version, address)
    const call = client.ServerReflectionInfo?.()
    call.write({ listServices: '' })
    const [listed] = await once(call, 'data')
    const names = listed.listServicesResponse.service.map(({ name }: { name: string }) => name)
    assert.ok(names.includes('cohort.v1.Node') && names.includes('grpc.health.v1.Health'), names.join())
    call.write({ fileContainingSymbol: 'cohort.v1.Node' })
    const [described] = await once(call, 'data')
    const files: Buffer[] = described.fileDescriptorResponse.fileDescriptorProto
    assert.ok(files.some((file) => file.includes('RequestBatch') && file.includes('Exchange')))
    const ended = once(call, 'end')
    call.end()
    await ended
  })
}

test('bytes that are no reflection request end their stream with INVALID_ARGUMENT, and the node goes on', async (t) => {
  const { address } = await aNode(t)
  const client = new Client(address, credentials.createInsecure())
  t.after(() => client.close())
  const asIs = (bytes: Buffer) => bytes
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo'
  const call = client.makeBidiStreamRequest(path, asIs, asIs).resume()
  const failed = once(call, 'error')
  // A field of wire type 7, which does not exist.
  call.write(Buffer.from([0x1f]))
  const [error] = await failed
  assert.equal(error.code, status.INVALID_ARGUMENT)
  assert.ok((await aTransport(t, address).describe(2_000)).nodeId)
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

test('a drain that is over leaves no timer and no stream, whatever its timeout is', async (t) => {
  const counts = () => ({ timers: processCounts().Timeout ?? 0, exchanges: liveCount(Exchange) })
  await assertNothingLeft(counts, async () => {
    const { address, drain, close } = await aNode(t)
    const transport = aTransport(t, address)
    const { nodeId } = await transport.describe(2_000)
    const { stream, next } = aStream(transport)
    stream.send(aBatch(nodeId, 1, []))
    await next()
    await drain(60_000)
    close()
    transport.close()
  })
})

test('a drain whose streams do not end takes as long as its timeout', async (t) => {
  const { address, store, handler, drain } = await aNode(t)
  const { stream } = aStream(aTransport(t, address))
  // A node that does not answer: the stream cannot end before its answer is sent.
  const received = Promise.withResolvers<void>()
  handler.receive = () => received.resolve()
  stream.send(aBatch(store.nodeId, 1, []))
  await received.promise
  const startMs = performance.now()
  await drain(300)
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 290 && tookMs < 1_300, `${tookMs} ms`)
})

test('streams, scans and calls leave nothing open in a node when they have ended', async (t) => {
  const { address, store } = await aNode(t)
  const use = async () => {
    const transport = aTransport(t, address)
    const { stream, next } = aStream(transport)
    stream.send(aBatch(store.nodeId, 1, [anAccept('cluster/x', Buffer.from('x'))]))
    await next()
    for await (const _page of transport.scan({ start: '', end: '', omitValues: false })) break
    await transport.digest({ clusterId: '', epoch: 0, nodeId: store.nodeId, branches: [] }, 2_000)
    await transport.describe(2_000)
    const { closed } = aStream(transport)
    transport.close()
    await closed
  }
  const counts = () => ({ ...processCounts(), exchanges: liveCount(Exchange) })
  await assertNothingLeft(counts, async () => {
    for (let times = 0; times < 10; times += 1) await use()
  })
})

test('a node tells what it has changed: where to begin, then key after key, and it never waits when it stops', async (t) => {
  const { address, drain } = await aNode(t)
  const transport = aTransport(t, address)
  const { nodeId } = await transport.describe(2_000)
  const ask = (from: ChangesPosition | undefined, waitMs = 5_000) =>
    transport.changes({ clusterId: '', epoch: 0, nodeId, from, waitMs }, 10_000)
  const { stream, next } = aStream(transport)
  stream.send(aBatch(nodeId, 1, [anAccept('cluster/a', Buffer.from('x'))]))
  await next()
  const first = await ask(undefined)
  assert.deepEqual([first.keys, first.begins, first.isTooEarly], [['cluster/a'], true, false])

  const held = ask(first.at)
  stream.send(aBatch(nodeId, 2, [anAccept('cluster/b', Buffer.from('x'))]))
  const second = await held
  assert.deepEqual([second.keys, second.begins], [['cluster/b'], false])
  assert.equal(second.at!.number, first.at!.number + 1)

  const other = await ask({ life: 'another', number: 1 })
  assert.deepEqual([other.keys, other.begins], [['cluster/a', 'cluster/b'], true])
  const mismatch = await transport.changes(
    { clusterId: 'c', epoch: 1, nodeId, from: second.at, waitMs: 5_000 },
    10_000,
  )
  assert.deepEqual([mismatch.at, mismatch.mismatch?.nodeId], [undefined, nodeId])

  const last = ask(second.at, 10_000)
  // So that the call has arrived before the node stops.
  await transport.describe(2_000)
  void drain(5_000)
  assert.deepEqual((await last).keys, [])
})

test('a call for changes that is not a message of the contract is refused, and harms nothing', async (t) => {
  const { address } = await aNode(t)
  const client = new Client(address, credentials.createInsecure())
  t.after(() => client.close())
  const { promise, resolve } = Promise.withResolvers<unknown>()
  const asIs = (bytes: Buffer) => bytes
  client.makeUnaryRequest('/cohort.v1.Node/Changes', asIs, asIs, Buffer.from([255, 255]), (error) =>
    resolve(error?.code),
  )
  assert.equal(await promise, status.INTERNAL)
  assert.equal((await aTransport(t, address).describe(2_000)).recordCount, 0)
})
