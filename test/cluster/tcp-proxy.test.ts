import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { test } from 'node:test'
import { TcpProxy } from './tcp-proxy.ts'
import { until, within } from './waiting.ts'

/** The limit of all waits here, which need only this machine's own network. */
const SOON_MS = 2_000

/** A server that answers each message with the same in capitals, and what it has received so far. */
async function shouter() {
  const received: string[] = []
  const sockets = new Set<Socket>()
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket)
    socket.setEncoding('utf8')
    socket.on('error', () => undefined)
    socket.on('data', (text: string) => {
      received.push(text)
      socket.write(text.toUpperCase())
    })
    socket.on('end', () => socket.end('END'))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    received,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

async function connectTo(address: string): Promise<Socket> {
  const [host = '', port] = address.split(':')
  const socket = connect({ host, port: Number(port), allowHalfOpen: true })
  await within(SOON_MS, once(socket, 'connect'), `a connection to ${address}`)
  return socket.setEncoding('utf8')
}

/** The next bytes from a socket. */
async function next(socket: Socket): Promise<string> {
  const [text] = await within(SOON_MS, once(socket, 'data'), 'a message arrives')
  return text as string
}

test('a whole network passes on everything, including the end of each direction', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.start(server.port)
  const socket = await connectTo(proxy.address)
  socket.write('hello')
  assert.equal(await next(socket), 'HELLO')
  socket.end()
  assert.equal(await next(socket), 'END')
  await within(SOON_MS, once(socket, 'close'), 'the connection is closed')
})

test('a cut resets what is connected and what connects, until it is healed', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.start(server.port)
  const socket = await connectTo(proxy.address)
  socket.write('hello')
  await next(socket)
  proxy.cut()
  const [error] = (await within(SOON_MS, once(socket, 'error'), 'the connection is reset')) as [
    NodeJS.ErrnoException,
  ]
  assert.equal(error.code, 'ECONNRESET')
  const refused = connect(Number(proxy.address.split(':')[1]), '127.0.0.1')
  await assert.rejects(within(SOON_MS, once(refused, 'end'), 'it is refused'), { code: 'ECONNRESET' })
  proxy.heal()
  const again = await connectTo(proxy.address)
  again.write('again')
  assert.equal(await next(again), 'AGAIN')
  again.destroy()
})

test('a black hole stops only one direction, and delivers it when it is healed', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.start(server.port)
  const socket = await connectTo(proxy.address)
  const other = await connectTo(proxy.address)
  other.write('before')
  await next(other)
  proxy.blackHole('toClient')
  let answer = ''
  socket.on('data', (text: string) => {
    answer += text
  })
  socket.write('one')
  await until('the server has the message', SOON_MS, () => server.received.includes('one'))
  proxy.blackHole('toServer')
  socket.write('two')
  other.write('three')
  const healed = next(other)
  for (let turn = 0; turn < 100; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual([answer, server.received], ['', ['before', 'one']])
  proxy.heal()
  assert.equal(await healed, 'THREE')
  await until('both answers arrive', SOON_MS, () => answer === 'ONETWO')
  socket.destroy()
  other.destroy()
})

test('a delay holds each message back, and keeps their order', async () => {
  await using server = await shouter()
  await using proxy = await TcpProxy.start(server.port)
  const socket = await connectTo(proxy.address)
  proxy.delay('toServer', 60)
  proxy.delay('toClient', 40)
  const startMs = performance.now()
  let answer = ''
  socket.on('data', (text: string) => {
    answer += text
  })
  for (const text of ['a', 'b', 'c']) socket.write(text)
  await until('all answers arrive', SOON_MS, () => answer === 'ABC')
  const tookMs = performance.now() - startMs
  assert.ok(tookMs >= 99, `${tookMs} ms`)
  socket.destroy()
})

test('if the server does not listen, the client gets a reset, and no connection is left', async () => {
  const server = await shouter()
  await using proxy = await TcpProxy.start(server.port)
  await server[Symbol.asyncDispose]()
  const socket = await connectTo(proxy.address)
  await assert.rejects(within(SOON_MS, once(socket, 'end'), 'it is reset'), { code: 'ECONNRESET' })
  await until('no connection is left', SOON_MS, () => proxy.connectionCount === 0)
})
