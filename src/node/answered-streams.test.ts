/** Raw HTTP/2 clients which never end their half of a stream. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { encodeRequestBatch } from '../rpc/batch-codec.ts'
import { nodeService } from '../rpc/service.ts'
import { aBatch, aNode, anAccept } from '../testing/node-service.ts'
import { liveCount } from '../testing/resource-counts.ts'
import { Exchange } from './exchange.ts'

/** Longer than the node waits for the other half. */
const DEADLINE_MS = 10_000

const EXCHANGE = nodeService.exchange.path
/** A message that no method can read. */
const GARBAGE = frame(Buffer.from([0xff]))

test('a stream is reset that the node has ended and its client has not, whatever its method', async (t) => {
  const { address } = await aNode(t)
  const session = aSession(t, address)
  // Describe takes any message, and answers when its client has ended its half.
  const methods = [nodeService.exchange, nodeService.digest, nodeService.scan].map(({ path }) => path)
  const paths = [...methods, '/cohort.v1.Node/Unknown']
  const codes = await Promise.all(paths.map((path) => endedByTheNode(session, path, GARBAGE)))
  assert.ok(
    codes.every((code) => code > status.OK),
    codes.join(),
  )
  assert.equal(codes[paths.indexOf(EXCHANGE)], status.INVALID_ARGUMENT)
})

test('the node keeps nothing of streams that it has ended, on a connection that stays open', async (t) => {
  const { address } = await aNode(t)
  const session = aSession(t, address)
  const before = liveCount(Exchange)
  const codes = Array.from({ length: 10 }, () => endedByTheNode(session, EXCHANGE, GARBAGE))
  await Promise.all(codes)
  // Not at once, and seldom: a count takes half a second of CPU.
  const untilMs = performance.now() + DEADLINE_MS
  for (let left = Number.POSITIVE_INFINITY; left > before; ) {
    await wait(200)
    left = liveCount(Exchange)
    assert.ok(left <= before || performance.now() < untilMs, `${left} exchanges, ${before} before`)
  }
  assert.equal(session.destroyed, false)
})

test('a stream is not reset before the node ends it, and is after answers too', async (t) => {
  const { address, store } = await aNode(t)
  const call = aCall(aSession(t, address), EXCHANGE)
  const ended = statusOf(call)
  const answerTo = async (batchId: number) => {
    const answer = once(call, 'data', { signal: AbortSignal.timeout(DEADLINE_MS) })
    const batch = aBatch(store.nodeId, batchId, [anAccept(`cluster/${batchId}`, Buffer.from('value'))])
    call.write(frame(encodeRequestBatch(batch)))
    await answer
  }
  await answerTo(1)
  // Meanwhile the stream of another client is ended and reset.
  await endedByTheNode(aSession(t, address), EXCHANGE, GARBAGE)
  await answerTo(2)
  call.write(GARBAGE)
  assert.equal(await ended, status.INVALID_ARGUMENT)
})

test('a connection has at most 1,000 streams at a time', async (t) => {
  const { address } = await aNode(t)
  const session = aSession(t, address)
  const [settings] = await once(session, 'remoteSettings', { signal: AbortSignal.timeout(DEADLINE_MS) })
  assert.equal(settings.maxConcurrentStreams, 1_000)
})

function aSession(t: TestContext, address: string): ClientHttp2Session {
  const session = connect(`http://${address}`)
  t.after(() => session.destroy())
  return session
}

function aCall(session: ClientHttp2Session, path: string) {
  return session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
  })
}

/** Sends `bytes` on a stream of its own, and waits until the node has ended and reset the stream. */
async function endedByTheNode(session: ClientHttp2Session, path: string, bytes: Uint8Array): Promise<number> {
  const call = aCall(session, path)
  call.write(bytes)
  return statusOf(call)
}

/** The gRPC status with which the node ends a stream. Waits until the node has also reset it. */
async function statusOf(call: ClientHttp2Stream): Promise<number> {
  let code: unknown
  const look = (headers: Readonly<Record<string, unknown>>) => {
    code ??= headers['grpc-status']
  }
  call.on('response', look)
  call.on('trailers', look)
  call.resume()
  await once(call, 'close', { signal: AbortSignal.timeout(2 * DEADLINE_MS) })
  assert.equal(call.rstCode, constants.NGHTTP2_NO_ERROR)
  assert.ok(code !== undefined)
  return Number(code)
}

function frame(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}
