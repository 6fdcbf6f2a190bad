import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatAddress } from '../../src/process/address.ts'
import { SECOND_ADDRESS } from '../second-address.ts'
import { CreateLoad, call, missingOf } from './load.ts'
import {
  freePorts,
  LocalCluster,
  type Program,
  Service,
  THIS_PROGRAM,
  until,
  untilReady,
} from './local-cluster.ts'

/** The program where `place.test` stands for 127.0.0.1 and `SECOND_ADDRESS`. */
const [node, ...program] = THIS_PROGRAM
const WITH_TWO_ADDRESSES: Program = [
  node,
  '--import',
  fileURLToPath(new URL('two-addresses.ts', import.meta.url)),
  ...program,
]

for (const { title, connectorHost, address } of [
  { title: 'on one address', connectorHost: '127.0.0.1', address: '127.0.0.1' },
  { title: 'on the second address of a name', connectorHost: 'place.test', address: SECOND_ADDRESS },
]) {
  test(`SIGTERM drains a connector: every request that it accepted is answered (${title})`, async () => {
    await using cluster = await LocalCluster.start({ connectorProgram: WITH_TWO_ADDRESSES, connectorHost })
    const connector = cluster.connectors[0]!
    const url = `http://${formatAddress(address, connector.port)}`
    const load = new CreateLoad(url, 'drain', 32)
    await until('some requests are answered', 20_000, () => load.created.length > 50)
    const startMs = performance.now()
    const exitCode = await connector.end('SIGTERM')
    const tookMs = performance.now() - startMs
    await load.stopAfterFailure()
    assert.equal(exitCode, 0)
    assert.ok(
      tookMs < 5_000,
      `it ended after ${tookMs} ms, with nothing to wait for but requests of milliseconds`,
    )
    // What was not answered 201 was never accepted: the connection was refused, or closed before the request
    // was read.
    assert.deepEqual(
      load.failed.filter(({ reply }) => reply.status !== 0),
      [],
    )
    connector.start()
    await untilReady(connector)
    assert.deepEqual(await missingOf(url, load.created), [])
    for (const { groupId, reply } of load.failed) {
      const missing = await missingOf(url, [groupId])
      assert.deepEqual(
        missing,
        [groupId],
        `${groupId} was done, but its client was told ${JSON.stringify(reply)}`,
      )
    }
  })
}

test('unfinished requests on every address of a name hold a connector up for the drain timeout, no longer', async () => {
  const [port = 0] = await freePorts(1)
  const flags = [
    '--host',
    'place.test',
    '--port',
    String(port),
    '--hosts',
    '127.0.0.1:1',
    '--drain-timeout',
    '1',
  ]
  const connector = new Service('connector', port, ['connector', ...flags], WITH_TWO_ADDRESSES)
  connector.start()
  try {
    await until(
      'it listens',
      20_000,
      () => /connector is listening/.test(connector.output),
      () => connector.output,
    )
    for (const host of ['127.0.0.1', SECOND_ADDRESS]) {
      const socket = connect({ host, port })
      socket.on('error', () => {})
      await once(socket, 'connect', { signal: AbortSignal.timeout(5_000) })
      socket.write(
        'POST /v1/group HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
      )
    }
    const startMs = performance.now()
    assert.equal(await connector.end('SIGTERM'), 0)
    const tookMs = performance.now() - startMs
    assert.ok(tookMs > 900 && tookMs < 4_000, `it ended after ${tookMs} ms`)
    assert.match(connector.output, /"connections":2,.*the drain timeout is over/)
  } finally {
    await connector.end('SIGKILL')
  }
})

test('a connector does not start when one of the addresses of its host is taken, and says which', async () => {
  const other = createServer().listen({ host: SECOND_ADDRESS, port: 0 })
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const flags = ['--host', 'place.test', '--port', String(port), '--hosts', '127.0.0.1:1']
  const connector = new Service('connector', port, ['connector', ...flags], WITH_TWO_ADDRESSES)
  connector.start()
  try {
    assert.equal(await connector.exit(), 1)
    const taken = formatAddress(SECOND_ADDRESS, port)
    assert.ok(connector.output.includes(`${taken} (place.test) is in use`), connector.output)
  } finally {
    await connector.end('SIGKILL')
    other.close()
  }
})

test('SIGTERM ends a node in order, and what it holds is there when it starts again', async () => {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const load = new CreateLoad(url, 'rolling', 8)
  for (const node of cluster.nodes) {
    assert.equal(await node.end('SIGTERM'), 0)
    node.start()
    await until('the connector reaches every node again', 20_000, async () => {
      const { body } = await call('GET', `${url}/v1/cluster`)
      const { members } = body as { members: { reachable: boolean }[] }
      return members.every(({ reachable }) => reachable)
    })
  }
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
})
