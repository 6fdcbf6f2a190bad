/** When requests are parsed: at the end of the turn of the event loop in which they arrive. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { until } from '../../../test/cluster/waiting.ts'
import { LargeBodies } from './large-bodies.ts'
import { PipelineLimit } from './pipeline-limit.ts'

const READ = 'GET / HTTP/1.1\r\nhost: x\r\n\r\n'

/** A guarded server on which no turn ends by itself, and the paths of the requests that have begun. */
async function aServer(context: TestContext) {
  const turnEnds: (() => void)[] = []
  const begun: string[] = []
  const accepted: Socket[] = []
  const server = createServer((request, response) => {
    begun.push(request.url!)
    request.resume().on('end', () => response.end('answered'))
  })
  const pipelines = new PipelineLimit(new LargeBodies(), { defer: (task) => turnEnds.push(task) })
  server.on('connection', (socket: Socket) => accepted.push(socket))
  pipelines.guard(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  // The end of a client waits for the end of a turn, too.
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  /** Sends on a new connection, and resolves when all of it has arrived. */
  const send = async (bytes: string) => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
    context.after(() => client.destroy())
    const index = accepted.length
    await until('the connection is accepted', 5_000, () => accepted[index] !== undefined)
    const socket = accepted[index]!
    const write = async (more: string) => {
      const before = socket.bytesRead
      client.write(more)
      await until('it has arrived', 5_000, () => socket.bytesRead === before + more.length)
    }
    await write(bytes)
    return { client, write }
  }
  return { server, pipelines, turnEnds, begun, send }
}

test('requests wait for the end of the turn, and then all of them begin, in the order of their arrival', async (context) => {
  const { turnEnds, begun, send } = await aServer(context)
  const first = await send('GET /first HTTP/1.1\r\nhost: x\r\n\r\n')
  const second = await send('GET /second HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.deepEqual(begun, [])
  assert.equal(turnEnds.length, 1)
  const answers = [first, second].map(({ client }) => once(client, 'data'))
  turnEnds.shift()!()
  assert.deepEqual(begun, ['/first', '/second'])
  await Promise.all(answers)
  await first.write('GET /third HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.equal(turnEnds.length, 1, 'the next turn has an end too')
  turnEnds.shift()!()
  assert.deepEqual(begun, ['/first', '/second', '/third'])
})

test('what arrives behind bytes that wait is parsed after them', async (context) => {
  const { begun, send, turnEnds } = await aServer(context)
  const { client, write } = await send(READ.slice(0, 9))
  const answer = once(client, 'data')
  await write(READ.slice(9))
  assert.deepEqual(begun, ['/'])
  await answer
  turnEnds.shift()!()
  assert.deepEqual(begun, ['/'], 'nothing is parsed twice')
})

test('more than a small request does not wait', async (context) => {
  const { begun, send, turnEnds } = await aServer(context)
  const body = 'x'.repeat(8_000)
  await send(`POST /large HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  assert.deepEqual(begun, ['/large'])
  assert.deepEqual(turnEnds, [])
})

test('a request is served before the end of its connection is looked at', async (context) => {
  const { begun, send } = await aServer(context)
  const { client } = await send(READ)
  client.end()
  await until('the request has begun', 5_000, () => begun.length === 1)
})

test('a connection whose request waits looks idle to Node.js, so that it is parsed before idle ones are closed', async (context) => {
  const { pipelines, send, server } = await aServer(context)
  const { client } = await send(READ)
  const answer = once(client, 'data')
  pipelines.takeWaiting()
  server.closeIdleConnections()
  assert.match(String((await answer)[0]), /answered/)
})

test('what waits of a connection that has been closed is dropped', async (context) => {
  const { begun, send, turnEnds } = await aServer(context)
  const { client } = await send(READ)
  client.resetAndDestroy()
  const { write } = await send('GET /other HTTP/1.1\r\n')
  await write('host: x\r\n\r\n')
  turnEnds.shift()!()
  assert.deepEqual(begun, ['/other'])
})
