import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { before, type TestContext, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { type TestCertificates, testCertificates } from '../../testing/certificates.ts'
import { PipelineLimit } from './pipeline-limit.ts'
import { readIntoSharedBuffer } from './shared-buffer.ts'

let certificates: TestCertificates
before(async () => {
  certificates = await testCertificates()
})

type OnRequest = (request: IncomingMessage, response: ServerResponse) => void

/** How clients reach a server. */
const KINDS = [
  {
    name: 'HTTP',
    connectionEvent: 'connection',
    create: async (onRequest: OnRequest) => createServer(onRequest),
    connect: (port: number): Socket => connect(port, '127.0.0.1'),
    connectEvent: 'connect',
  },
  {
    name: 'HTTPS',
    connectionEvent: 'secureConnection',
    create: async (onRequest: OnRequest) =>
      createSecureServer(await certificates.leaf({ usages: ['server'] }), onRequest),
    connect: (port: number): Socket => connectTls({ host: '127.0.0.1', port, ca: certificates.ca.cert }),
    connectEvent: 'secureConnect',
  },
] as const

/** A server whose connections are guarded, and a function that connects to it. */
async function aServer(context: TestContext, kind: (typeof KINDS)[number], onRequest: OnRequest) {
  const server = await kind.create(onRequest)
  const sockets: Socket[] = []
  server.on(kind.connectionEvent, (socket: Socket) => sockets.push(socket))
  new PipelineLimit().guard(server, kind.connectionEvent)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  context.after(() => server.close())
  const open = async () => {
    const socket = kind.connect((server.address() as AddressInfo).port)
    context.after(() => socket.destroy())
    await once(socket, kind.connectEvent)
    return socket
  }
  return { open, server, sockets }
}

test('a socket of another kind is left as it is', () => {
  const other = { _handle: { useUserBuffer: () => assert.fail('it was changed') } } as unknown as Socket
  assert.equal(
    readIntoSharedBuffer(other, () => {}),
    false,
  )
})

for (const kind of KINDS) {
  test(`this version of Node.js can read connections into a shared buffer, and requests arrive without data events (${kind.name})`, async (context) => {
    const { open, sockets } = await aServer(context, kind, (_request, response) => response.end('answered'))
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

  test(`bodies that arrive in parts are whole, whatever other connections send in between (${kind.name})`, async (context) => {
    const bodies: string[] = []
    const { open } = await aServer(context, kind, async (request, response) => {
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

  test(`a client that ends its side right behind its requests gets all answers (${kind.name})`, async (context) => {
    const { open } = await aServer(context, kind, (_request, response) => response.end('answered'))
    // With TLS, Node.js may know of the end before it has written further answers.
    for (const count of kind.name === 'HTTPS' ? [1] : [1, 8, 20]) {
      const client = await open()
      client.end('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(count))
      assert.equal((await text(client)).split('answered').length - 1, count)
    }
  })

  test(`what is sent behind a CONNECT is not kept (${kind.name})`, async (context) => {
    const { open, sockets, server } = await aServer(context, kind, (_request, response) => response.end())
    server.on('connect', () => {})
    const client = await open()
    const request = `GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(300)}\r\n\r\n`
    const before = `${request.repeat(12)}CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n`
    // As one record of TLS, so that the next one arrives while the connection works on this one.
    client.write(before.padEnd(16_384, 'z') + 'z'.repeat(40_000))
    client.resume()
    for (let count = 0; count < 64; count += 1) client.write(Buffer.alloc(64 * 1_024, 'z'))
    await delay(300)
    const { readableLength } = sockets[0]!
    assert.ok(readableLength <= 256 * 1_024, `${readableLength} bytes are kept`)
  })
}
