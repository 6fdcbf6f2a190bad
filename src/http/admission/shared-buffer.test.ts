import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { PipelineLimit } from './pipeline-limit.ts'
import { readIntoSharedBuffer } from './shared-buffer.ts'

/** An HTTP server whose connections are guarded, and a function that connects to it. */
async function aServer(
  context: TestContext,
  onRequest: (request: IncomingMessage, response: ServerResponse) => void,
) {
  const server = createServer(onRequest)
  const sockets: Socket[] = []
  server.on('connection', (socket: Socket) => sockets.push(socket))
  new PipelineLimit().guard(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const open = async () => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    context.after(() => socket.destroy())
    await once(socket, 'connect')
    return socket
  }
  return { open, sockets }
}

test('this version of Node.js can read connections into a shared buffer, and requests arrive without data events', async (context) => {
  const { open, sockets } = await aServer(context, (_request, response) => response.end('answered'))
  const client = await open()
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(client, 'data')
  const [accepted] = sockets
  let count = 0
  accepted!.on('data', () => {
    count += 1
  })
  client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(client, 'data')
  assert.equal(count, 0)
})

test('a socket of another kind is left as it is', () => {
  const other = { _handle: { useUserBuffer: () => assert.fail('it was changed') } } as unknown as Socket
  assert.equal(
    readIntoSharedBuffer(other, () => {}),
    false,
  )
})

test('bodies that arrive in parts are whole, whatever other connections send in between', async (context) => {
  const bodies: string[] = []
  const { open } = await aServer(context, async (request, response) => {
    bodies.push(await text(request))
    response.end('answered')
  })
  const letters = ['a', 'b', 'c', 'd']
  const clients = await Promise.all(letters.map(open))
  const part = (index: number) => letters[index]!.repeat(10_000)
  const answered = clients.map((client) => once(client, 'data'))
  for (const client of clients) client.write('POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 50000\r\n\r\n')
  for (let round = 0; round < 5; round += 1) {
    for (const [index, client] of clients.entries())
      await new Promise((sent) => client.write(part(index), sent))
  }
  await Promise.all(answered)
  assert.deepEqual(
    bodies.toSorted(),
    letters.map((letter) => letter.repeat(50_000)),
  )
})
