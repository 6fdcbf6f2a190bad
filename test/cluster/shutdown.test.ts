import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { formatAddress } from '../../src/process/address.ts'
import { SECOND_ADDRESS } from '../second-address.ts'
import { untilVerdict } from './cluster-status.ts'
import { CreateLoad, closeConnections, missingOf } from './load.ts'
import { untilReady } from './local-cluster.ts'
import { openDescriptors, untilNoMoreThan } from './open-descriptors.ts'
import { freePorts } from './ports.ts'
import { type Program, Service, THIS_PROGRAM } from './service.ts'
import { ServiceHere } from './service-here.ts'
import { sharedCluster } from './shared-cluster.ts'
import { temporaryDirectory } from './temporary-directory.ts'
import './two-addresses.ts'
import { within } from './waiting.ts'

/** The time that an orderly end may take: the process only waits for requests of milliseconds. */
const ORDERLY_END_MS = 5_000
/** The limit for steps that need only this machine. */
const SOON_MS = 5_000
/** How long a process may take to start, on a machine that is busy with others. */
const START_MS = 20_000

/** The program where `place.test` stands for 127.0.0.1 and `SECOND_ADDRESS`. */
const [node, ...program] = THIS_PROGRAM
const WITH_TWO_ADDRESSES: Program = [
  node,
  '--import',
  fileURLToPath(new URL('two-addresses.ts', import.meta.url)),
  ...program,
]

const aCluster = sharedCluster({ processes: ['connector1'] })
/** In one process, new connections of the clients would arrive in each turn of its event loop. */
const aClusterWithTwoAddresses = sharedCluster({
  nodes: 1,
  processes: ['connector1'],
  connectorProgram: WITH_TWO_ADDRESSES,
  connectorHost: 'place.test',
})

/**
 * A connector that listens on every address of `host` and has no nodes. `program`: what runs it as a process;
 * `undefined`: it runs in this process.
 */
function aConnector(host: string, port: number, program?: Program, ...flags: readonly string[]): Service {
  const args = ['connector', '--host', host, '--port', String(port), '--hosts', '127.0.0.1:1', ...flags]
  // The connector does not know that the name stands for addresses of this machine only.
  if (host !== 'localhost') args.push('--insecure')
  const connector =
    program === undefined
      ? new ServiceHere('connector', port, args)
      : new Service('connector', port, args, program)
  connector.start()
  return connector
}

/** The hosts file of most machines with IPv6. */
const HOSTS_FILE = '127.0.0.1 localhost\n::1 localhost\n'

/**
 * The program where `/etc/hosts` is the file at `path`. The file is mounted where only this process sees it.
 * `unshare` and `sh` become the program, so it has their process id.
 */
function withHostsFile(path: string, command: readonly string[]): Program {
  const rights = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  return ['unshare', '--mount', ...rights, 'sh', '-c', script, path, ...command]
}

/** Why a hosts file cannot be mounted here. `undefined`: it can. */
function whyNoHostsFile(path: string): string | undefined {
  if (!SECOND_ADDRESS.includes(':')) return 'this machine has no IPv6'
  const [command, ...args] = withHostsFile(path, ['true'])
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  return status === 0 ? undefined : `a hosts file cannot be mounted: ${error?.message ?? stderr.trim()}`
}

for (const { title, start, address } of [
  { title: 'on one address', start: aCluster, address: '127.0.0.1' },
  { title: 'on the second address of a name', start: aClusterWithTwoAddresses, address: SECOND_ADDRESS },
]) {
  test(`SIGTERM drains a connector: every request that it accepted is answered (${title})`, async () => {
    const cluster = await start()
    const connector = cluster.connectors[0]!
    const url = `http://${formatAddress(address, connector.port)}`
    await using load = new CreateLoad(url, 'drain', 32, 0)
    await load.untilMore(50)
    const [exitCode] = await Promise.all([connector.end('SIGTERM', ORDERLY_END_MS), load.stopAfterFailure()])
    assert.equal(exitCode, 0)
    // A request that was not answered 201 was never accepted: its connection was refused, or closed before
    // the request was read.
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

async function assertDrainOfUnfinished(host: string, program?: Program): Promise<void> {
  const [port = 0] = await freePorts(1)
  await using connector = aConnector(host, port, program, '--drain-timeout', '1')
  await connector.says(/connector is listening/, START_MS)
  for (const address of ['127.0.0.1', SECOND_ADDRESS]) {
    const socket = connect({ host: address, port })
    socket.on('error', () => {})
    await within(SOON_MS, once(socket, 'connect'), `a connection to ${address}`)
    socket.write(
      'POST /v1/group HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n{',
    )
  }
  const startMs = performance.now()
  assert.equal(await connector.end('SIGTERM', 4_000), 0)
  const tookMs = performance.now() - startMs
  assert.ok(tookMs > 900, `it ended after ${tookMs} ms`)
  assert.match(connector.output, /"connections":2,.*the drain timeout is over/)
}

test('unfinished requests on every address of a name delay the end of a connector by the drain timeout, not longer', async () => {
  await assertDrainOfUnfinished('place.test')
})

test('the same with a real hosts file in which localhost stands for two addresses', async (context) => {
  await using directory = await temporaryDirectory()
  const path = join(directory.path, 'hosts')
  await writeFile(path, HOSTS_FILE)
  const reason = whyNoHostsFile(path)
  if (reason !== undefined) return context.skip(reason)
  await assertDrainOfUnfinished('localhost', withHostsFile(path, THIS_PROGRAM))
})

test('a connector does not start when one of the addresses of its host is taken, and says which', async () => {
  const other = createServer().listen({ host: SECOND_ADDRESS, port: 0 })
  await within(SOON_MS, once(other, 'listening'), 'a server on the second address')
  const { port } = other.address() as { port: number }
  await using connector = aConnector('place.test', port)
  try {
    assert.equal(await connector.exit(START_MS), 1)
    const taken = formatAddress(SECOND_ADDRESS, port)
    assert.ok(connector.output.includes(`${taken} (place.test) is in use`), connector.output)
  } finally {
    other.close()
  }
})

test('SIGTERM ends a node in order, what it holds is there when it starts again, and the connector has nothing more open', async () => {
  const cluster = await aCluster()
  const { url, pid } = cluster.connectors[0]!
  await closeConnections()
  const before = await openDescriptors(pid!)
  await using load = new CreateLoad(url, 'rolling', 8)
  for (const node of cluster.nodes) {
    await load.untilMore(20)
    assert.equal(await node.end('SIGTERM', ORDERLY_END_MS), 0)
    await load.untilMore(20)
    await node.restart()
    await untilVerdict(url, 'healthy')
  }
  await load.stop()
  assert.deepEqual(load.failed, [])
  assert.deepEqual(await missingOf(url, load.created), [])
  await closeConnections()
  await untilNoMoreThan(before, pid!)
})
