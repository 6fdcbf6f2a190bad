import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { assertNothingLeft, liveCount, processCounts } from '../testing/resource-counts.ts'
import { listen } from './listener.ts'

const NAME = { host: 'a-name', port: 0 }
const TWO_ADDRESSES = async () => ['127.0.0.1', '127.0.0.2']

function isFree(t: TestContext, host: string, port: number): Promise<boolean> {
  const server = createServer()
  t.after(() => server.close())
  return new Promise((resolve) => {
    server.once('error', () => resolve(false))
    server.listen(port, host, () => resolve(true))
  })
}

test('a host that is a name with two addresses takes connections at both, and leaves nothing open', async () => {
  await assertNothingLeft(processCounts, async () => {
    let taken = 0
    const listener = await listen(NAME, () => (taken += 1), TWO_ADDRESSES)
    const sockets = ['127.0.0.1', '127.0.0.2'].map((host) => connect({ host, port: listener.port }))
    await Promise.all(sockets.map((socket) => once(socket, 'connect')))
    while (taken < 2) await new Promise(setImmediate)
    const closed = listener.close()
    listener.destroyConnections()
    await closed
    await Promise.all(sockets.map((socket) => once(socket.resume(), 'close')))
  })
})

test('a port that is in use at one address of the name is an error, and none of them is taken', async (t) => {
  const other = createServer()
  t.after(() => other.close())
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.2', resolve))
  const address = other.address()
  assert.ok(typeof address === 'object' && address !== null)
  await assert.rejects(
    listen({ ...NAME, port: address.port }, () => undefined, TWO_ADDRESSES),
    {
      code: 'address_in_use',
      message: new RegExp(`127\\.0\\.0\\.2:${address.port} \\(a-name\\) is in use`),
    },
  )
  assert.equal(await isFree(t, '127.0.0.1', address.port), true)
})

test('connections that come and go leave nothing in a node that goes on', async () => {
  const listener = await listen(NAME, (socket) => socket.resume(), TWO_ADDRESSES)
  try {
    const counts = () => ({ ...processCounts(), sockets: liveCount(Socket) })
    await assertNothingLeft(counts, async () => {
      for (let count = 0; count < 20; count += 1) {
        const socket = connect({ host: '127.0.0.1', port: listener.port })
        await once(socket, 'connect')
        socket.end()
        await once(socket.resume(), 'close')
      }
    })
  } finally {
    await listener.close()
  }
})
