import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { listenHttp, stopListening } from './listen-http.ts'

const ADDRESSES = ['127.0.0.1', '127.0.0.2']
const resolve = async () => ADDRESSES

async function listening(context: TestContext): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => response.end(request.socket.localAddress))
  const { port, addresses } = await listenHttp(server, { host: 'two.test', port: 0 }, resolve)
  context.after(() => {
    if (server.listening) stopListening(server)
    server.closeAllConnections()
  })
  assert.deepEqual(addresses, ADDRESSES)
  return { server, port }
}

async function open(host: string, port: number): Promise<Socket> {
  const socket = connect({ host, port })
  await once(socket, 'connect', { signal: AbortSignal.timeout(5_000) })
  return socket
}

async function ask(socket: Socket): Promise<string> {
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n')
  const [bytes] = await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })
  return String(bytes)
}

test('one server answers on every address', async (context) => {
  const { port } = await listening(context)
  for (const address of ADDRESSES) {
    const socket = await open(address, port)
    assert.match(await ask(socket), new RegExp(`200 OK[^]*${address.replaceAll('.', '\\.')}`))
    socket.destroy()
  }
})

test('its limits hold for the connections of every address', async (context) => {
  const { server, port } = await listening(context)
  server.keepAliveTimeout = 1
  server.keepAliveTimeoutBuffer = 0
  for (const address of ADDRESSES) {
    const socket = await open(address, port)
    await ask(socket)
    await once(socket, 'close', { signal: AbortSignal.timeout(5_000) })
  }
})

test('stopListening refuses new connections on every address, and keeps those that are open', async (context) => {
  const { server, port } = await listening(context)
  const sockets = await Promise.all(ADDRESSES.map((address) => open(address, port)))
  for (const socket of sockets) await ask(socket)
  stopListening(server)
  for (const address of ADDRESSES) await assert.rejects(open(address, port), { code: 'ECONNREFUSED' })
  for (const socket of sockets) assert.match(await ask(socket), /200 OK/)
  for (const socket of sockets) socket.destroy()
})

test('when one address is taken, none is listened on', async (context) => {
  const other = createTcpServer()
  context.after(() => other.close())
  other.listen({ host: '127.0.0.2', port: 0 })
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const server = createServer()
  await assert.rejects(listenHttp(server, { host: 'two.test', port }, resolve), {
    message: `127.0.0.2:${port} (two.test) is in use: stop what listens there, or choose another port`,
  })
  assert.ok(!server.listening)
  await assert.rejects(open('127.0.0.1', port), { code: 'ECONNREFUSED' })
})
