import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectHttp2 } from 'node:http2'
import { test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Client, credentials, status } from '@grpc/grpc-js'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { encodeRequestBatch } from '../rpc/batch-codec.ts'
import type { KeyedRequest } from '../rpc/messages.ts'
import { nodeService } from '../rpc/service.ts'
import { aBatch, aNode, anAccept, aStream, aTransport, recordOf } from '../testing/node-service.ts'
import { SqliteStore } from './store/sqlite-store.ts'

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

test('answers that do not fit into a message end the stream with INVALID_ARGUMENT, and not the node', async (t) => {
  const { address, store, failures } = await aNode(t)
  const large = anAccept('cluster/large', Buffer.alloc(62_000))
  store.transaction(() => store.save(large.key, EMPTY_RECORD, recordOf(large)))
  const transport = aTransport(t, address)
  const reads = (count: number) =>
    Array.from({ length: count }, (): KeyedRequest => ({ key: large.key, request: { kind: 'read' } }))
  const { stream, next, closed } = aStream(transport)
  // The largest batch that a connector sends.
  stream.send(aBatch(store.nodeId, 1, reads(144)))
  assert.equal((await next()).answers.length, 144)
  stream.send(aBatch(store.nodeId, 2, reads(1_024)))
  assert.match(await closed, /the answers to a batch of 1024 requests are too large for a message/)
  assert.equal((await transport.describe(2_000)).recordCount, 1)
  assert.deepEqual(failures, [])
})

/** Far more than the buffers of a connection hold. */
const ANSWERS = 200

test('a connector that does not take its answers is not read from any further', async (t) => {
  const { address, store } = await aNode(t)
  const large = anAccept('cluster/large', Buffer.alloc(500_000))
  store.transaction(() => store.save(large.key, EMPTY_RECORD, recordOf(large)))
  let handled = 0
  t.mock.method(store, 'load', (key: string) => {
    handled++
    return SqliteStore.prototype.load.call(store, key)
  })
  // Plain HTTP/2: grpc-js's own client takes all answers, even if its caller does not read them.
  const session = connectHttp2(`http://${address}`)
  t.after(() => session.destroy())
  const call = session.request({
    ':method': 'POST',
    ':path': nodeService.exchange.path,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
  for (let batchId = 1; batchId <= ANSWERS; batchId++) {
    const reading: KeyedRequest = { key: large.key, request: { kind: 'read' } }
    const bytes = encodeRequestBatch(aBatch(store.nodeId, batchId, [reading]))
    const head = Buffer.alloc(5)
    head.writeUInt32BE(bytes.length, 1)
    call.write(Buffer.concat([head, bytes]))
  }
  // The node must stop long before it has made that many answers of half a megabyte.
  let before = -1
  while (before !== handled || handled === 0) {
    before = handled
    await wait(200)
  }
  assert.ok(handled < 100, `${handled} handled`)
  let receivedBytes = 0
  for await (const chunk of call) {
    receivedBytes += chunk.length
    if (receivedBytes > ANSWERS * 500_000) break
  }
  assert.equal(handled, ANSWERS)
})
