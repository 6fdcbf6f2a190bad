/**
 * One node and one connector with settings that are not the defaults: each setting is seen where it is used.
 * Which setting is read from where is tested without processes (src/cli/every-setting.test.ts).
 */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { hashLineOf } from '../../src/access/admin-keys.ts'
import { newToken } from '../../src/access/key-token.ts'
import { connectGrpc } from '../../src/rpc/grpc-transport.ts'
import { afterAll, leaveNothing } from './leave-nothing.ts'
import { freePorts } from './ports.ts'
import { Service } from './service.ts'
import { type TemporaryDirectory, temporaryDirectory } from './temporary-directory.ts'
import { until, within } from './waiting.ts'

leaveNothing()

const ADMIN_KEY = newToken(randomBytes)
const WAIT_MS = 60_000

let directory: TemporaryDirectory
let node: Service
let connector: Service
let metricsUrl: string
let auditLog: string

const authorized = { authorization: `Bearer ${ADMIN_KEY}` }

before(async () => {
  directory = await temporaryDirectory()
  const [nodePort, metricsPort, port] = (await freePorts(3)) as [number, number, number]
  const dataDir = join(directory.path, 'node')
  metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`
  auditLog = join(directory.path, 'audit.log')
  const keyFile = join(directory.path, 'admin.hash')
  writeFileSync(keyFile, `${hashLineOf(ADMIN_KEY)}\n`)
  const nodeFlags = {
    port: nodePort,
    'metrics-port': metricsPort,
    'data-dir': dataDir,
    'scrub-period': 1,
    'max-connections': 9,
  }
  node = new Service('node', nodePort, ['node', ...argsOf(nodeFlags)])
  const connectorFlags = {
    port,
    hosts: node.address,
    'tombstone-grace': 61,
    'drain-timeout': 0.25,
    'max-connections': 7,
    'rate-limit': 5_000,
    'cors-origins': 'https://ui.example',
    'audit-log': auditLog,
    'admin-key-file': keyFile,
    'log-level': 'warn',
  }
  connector = new Service('connector', port, ['connector', ...argsOf(connectorFlags)])
  node.start()
  connector.start()
  await until('the connector is ready', WAIT_MS, async () => (await statusAt('/readyz')) === 200)
})

afterAll(async () => {
  await connector?.discard()
  await node?.discard()
  await directory?.[Symbol.asyncDispose]()
})

function argsOf(flags: Readonly<Record<string, string | number>>): string[] {
  return Object.entries(flags).map(([name, value]) => `--${name}=${value}`)
}

/** Each request has a connection of its own, which is closed after it. */
function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...authorized, connection: 'close', ...(init.headers as object) }
  return fetch(connector.url + path, { ...init, headers, signal: AbortSignal.timeout(WAIT_MS) })
}

async function statusAt(path: string): Promise<number | undefined> {
  return ask(path).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.status
    },
    () => undefined,
  )
}

async function open({ name, port }: Service = connector): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await within(WAIT_MS, once(socket, 'connect'), `${name} accepts`)
  return socket
}

/** Resolves when a connection has ended, with an error or without. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve())
  })
}

/** The metrics that docs/observability.md has in a section. */
function documentedMetrics(title: string): string[] {
  const text = readFileSync(new URL('../../docs/observability.md', import.meta.url), 'utf8')
  const section = text.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? ''
  return [...section.matchAll(/^\| `(cohort_\w+)` \|/gm)].map(([, name]) => name!)
}

test('a running connector and a running node show every metric that is documented, at the ports that are set', async () => {
  const ofConnector = await (await ask('/metrics')).text()
  const ofNode = await (await fetch(metricsUrl)).text()
  for (const [title, text] of [
    ['Of a connector', ofConnector],
    ['Of a node', ofNode],
  ] as const) {
    const names = documentedMetrics(title)
    assert.ok(names.length > 10, title)
    for (const name of names) assert.match(text, new RegExp(`^# TYPE ${name} `, 'm'), title)
  }
})

test('only the admin key whose hash is in the file is let in', async () => {
  assert.equal(await statusAt('/v1/cluster'), 200)
  const answer = await ask('/v1/cluster', { headers: { authorization: '' } })
  assert.equal(answer.status, 401)
})

test('the rate and the origins are those of the settings', async () => {
  const answer = await ask('/v1/cluster', { headers: { origin: 'https://ui.example' } })
  assert.equal(answer.headers.get('ratelimit-policy'), '"caller";q=5000;w=1')
  assert.equal(answer.headers.get('access-control-allow-origin'), 'https://ui.example')
})

test('the cluster that the connector has made has its grace time', async () => {
  const transport = connectGrpc(node.address)
  try {
    const { membership } = await transport.describe(WAIT_MS)
    assert.equal(membership?.tombstoneGraceMs, 61_000)
  } finally {
    transport.close()
  }
})

test('changes are in the audit log, which is opened again after SIGUSR2', async () => {
  const create = async (groupId: string) => {
    const init = {
      method: 'POST',
      body: JSON.stringify({ groupId }),
      headers: { 'content-type': 'application/json' },
    }
    assert.equal((await ask('/v1/group', init)).status, 201)
  }
  const ids = (path: string) =>
    (existsSync(path) ? readFileSync(path, 'utf8') : '').match(/(?<="groupId":")\w+/g) ?? []
  await create('a')
  assert.deepEqual(ids(auditLog), ['a'])
  assert.equal(statSync(auditLog).mode & 0o777, 0o600)
  renameSync(auditLog, `${auditLog}.1`)
  connector.signal('SIGUSR2')
  await until('the audit log is there again', WAIT_MS, () => existsSync(auditLog))
  await create('b')
  assert.deepEqual([ids(`${auditLog}.1`), ids(auditLog)], [['a'], ['b']])
})

test('a node reads all its records as often as it is told to', async () => {
  await node.says(/all records have been read in search of damaged ones/, WAIT_MS)
})

test('the connector keeps no more connections than it is told to', async () => {
  const sockets: Socket[] = []
  try {
    // One address has half of the connections that the others leave free: 4 of 7.
    for (let count = 0; count < 5; count += 1) {
      sockets.push(await open())
    }
    await within(WAIT_MS, Promise.race(sockets.map(closeOf)), 'one is closed')
    await connector.says(/"requests":"connections","connections":4,/, WAIT_MS)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

test('the node keeps no more connections than it is told to, and says so', async () => {
  const sockets: Socket[] = []
  try {
    // One address has half of the connections that the others leave free: 5 of 9. The connector has one.
    for (let count = 0; count < 5; count += 1) sockets.push((await open(node)).resume())
    await within(WAIT_MS, Promise.race(sockets.map(closeOf)), 'one is closed')
    await node.says(/"open":5,"maxConnections":9,.*"a connection was refused: too many are open"/, WAIT_MS)
  } finally {
    for (const socket of sockets) socket.destroy()
  }
})

test('a connector stops within its drain timeout, says what it has cut off, and logs nothing below its level', async () => {
  // The connections of the test before may still be counted, and this one be closed.
  let socket = await open()
  await until('a connection has an answer', WAIT_MS, async () => {
    if (socket.destroyed) socket = await open()
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
    // A connection that is closed may be reset, which is no error here.
    const answer = new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false))
    })
    return within(WAIT_MS, answer, 'it is answered or closed')
  })
  await new Promise<void>((resolve) => {
    socket.write('POST /v1/group HTTP/1.1\r\nhost: x\r\n', () => resolve())
  })
  assert.equal(await connector.end('SIGTERM'), 0)
  assert.match(connector.output, /"drainTimeoutMs":250,"msg":"the drain timeout is over/)
  const levels = [...connector.output.matchAll(/"level":(\d+)/g)].map(([, level]) => Number(level))
  assert.ok(
    levels.every((level) => level >= 40),
    connector.output,
  )
  assert.equal(await node.end('SIGTERM'), 0)
})
