/** The port of a node with TLS: who gets what, and what strangers can do. */
import assert from 'node:assert/strict'
import { type EventEmitter, once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { connect as connectTcp, Socket } from 'node:net'
import { before, type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls } from 'node:tls'
import { Client, type ServiceError, status } from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { ConnectionLimit } from '../process/connection-limit.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import { nodeService } from '../rpc/service.ts'
import { strangeCa, TEST_CLUSTER, type TestCertificates, testCertificates } from '../testing/certificates.ts'
import { aBatch, aNode, anAccept, aStream } from '../testing/node-service.ts'
import { assertNothingLeft, liveCount, processCounts } from '../testing/resource-counts.ts'
import { wholeAnswer, wholeEntry } from '../testing/whole.ts'
import { readMaterial, type TlsMaterial } from '../tls/material.ts'
import { itself, nodeChannel } from '../tls/node-channel.ts'

const DEADLINE_MS = 30_000

let certificates: TestCertificates
before(async () => {
  certificates = await testCertificates()
})

/** A node with the certificate n1, the reasons of its refusals, and a way to give it other files. */
async function aSecureNode(
  t: TestContext,
  {
    connections,
    ...limits
  }: { handshakeTimeoutMs?: number; handshakesMax?: number; connections?: ConnectionLimit } = {},
) {
  const refusals: string[] = []
  let onChange: (material: TlsMaterial) => void = () => {}
  let current = certificates.material('node', 'n1')
  const files = {
    get current() {
      return current
    },
    onChange: (listener: (material: TlsMaterial) => void) => {
      onChange = listener
    },
  }
  const onRefused = (_peer: string, reason: string) => void refusals.push(reason)
  const node = await aNode(t, 0, { files, onRefused, ...limits }, connections)
  node.setServing(true)
  const renew = (material: TlsMaterial) => {
    current = material
    onChange(material)
  }
  const host = { host: '127.0.0.1', port: Number(node.address.split(':')[1]) }
  return { ...node, ...host, refusals, renew }
}

/** The transport of a process with these files. */
function transportOf(t: TestContext, material: TlsMaterial, address: string) {
  const transport = connectGrpc(address, { security: (to) => nodeChannel(material, to) })
  t.after(() => transport.close())
  return transport
}

/** Waits until a refusal is noted. */
async function refusal(refusals: readonly string[], count = 1): Promise<string> {
  for (let tries = 0; refusals.length < count && tries < 1_000; tries += 1) await wait(5)
  assert.equal(refusals.length, count, `${count} refusals: ${refusals.join('; ')}`)
  return refusals.at(-1)!
}

/** Resolves when the other side has ended a connection, with an error or without. */
function closeOf(connection: EventEmitter): Promise<void> {
  return new Promise((resolve) => connection.once('close', () => resolve()))
}

/** A connection without a check of the node, as a stranger makes it. */
function strange(options: ConnectionOptions) {
  const socket = connectTls({ rejectUnauthorized: false, ALPNProtocols: ['h2'], ...options })
  socket.on('error', () => undefined)
  socket.resume()
  return socket
}

test('a connector of the cluster reads and writes', async (t) => {
  const node = await aSecureNode(t)
  const transport = transportOf(t, certificates.material('connector', 'c1'), node.address)
  const { nodeId } = await transport.describe(DEADLINE_MS)
  const { stream, next } = aStream(transport)
  stream.send(aBatch(nodeId, 1, [anAccept('cluster/x', Buffer.from('v'))]))
  assert.equal(wholeAnswer((await next()).answers[0]).ok, true)
  assert.deepEqual(node.refusals, [])
})

test('the certificate of a node gives nothing of another node but its health', async (t) => {
  const node = await aSecureNode(t)
  const material = certificates.material('node', 'n2')
  await assert.rejects(
    transportOf(t, material, node.address).describe(DEADLINE_MS),
    /UNIMPLEMENTED|does not implement/,
  )
  const { credentials, options } = nodeChannel(material, node.address)
  const client = new Client(node.address, credentials, options)
  t.after(() => client.close())
  const ask = ({ path }: { path: string }, answer: (bytes: Buffer) => unknown) =>
    new Promise((resolve) => {
      client.makeUnaryRequest(
        path,
        () => Buffer.alloc(0),
        answer,
        {},
        (error: ServiceError | null, value) => resolve(error?.code ?? value),
      )
    })
  const { Check } = healthService
  assert.deepEqual(await ask(Check!, (bytes) => Check!.responseDeserialize(bytes)), { status: 'SERVING' })
  for (const method of Object.values(nodeService))
    assert.equal(await ask(method, () => ''), status.UNIMPLEMENTED)
})

test('the health check of a node takes an answer only from the node itself', async (t) => {
  const node = await aSecureNode(t)
  const askAs = (name: string) => {
    const material = certificates.material('node', name)
    const { credentials, options } = nodeChannel(material, node.address, { judge: itself(material.identity) })
    const client = new Client(node.address, credentials, options)
    t.after(() => client.close())
    const { path, requestSerialize, responseDeserialize } = healthService.Check!
    return new Promise<string>((resolve) => {
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { service: '' }, (error) =>
        resolve(error?.details ?? 'answered'),
      )
    })
  }
  assert.equal(await askAs('n1'), 'answered')
  assert.match(await askAs('n2'), /the certificate is not that of this node/)
})

test('a connector speaks only to a node of its cluster whose certificate is for its host', async (t) => {
  const node = await aSecureNode(t)
  const connector = certificates.material('connector', 'c1')
  const describe = (address: string, material = connector) =>
    transportOf(t, material, address)
      .describe(DEADLINE_MS)
      .then(
        () => 'answered',
        (error: Error) => error.message,
      )
  assert.equal(await describe(node.address), 'answered')
  const identity = { cluster: TEST_CLUSTER, kind: 'node', name: 'n1' } as const
  for (const [subject, problem] of [
    [
      { identity: { ...identity, cluster: 'another' } },
      /^the node at \S+ was refused: the certificate is of the cluster another, and not of test-cluster$/,
    ],
    [
      { identity: { ...identity, kind: 'connector' as const } },
      /the certificate is of a connector, and not of a node/,
    ],
    [{ identity: undefined }, /the certificate names no process of a cluster/],
    [{ identity, hosts: ['10.0.0.1'] }, /does not match certificate's altnames|not in the cert's list/],
    [{ identity, ca: await strangeCa() }, /self-signed|unable to/],
    [{ identity, now: new Date(Date.now() - 800 * 86_400_000) }, /: certificate has expired$/],
    [
      { identity, usages: ['client' as const] },
      /unsuitable certificate purpose|unsupported certificate purpose/,
    ],
  ] as const) {
    node.renew(await certificates.leaf(subject))
    assert.match(await describe(node.address), problem)
  }
  node.renew(certificates.material('node', 'n1'))
  assert.equal(await describe(node.address), 'answered')
})

test('a stranger gets nothing, and the node says why and changes nothing', async (t) => {
  const node = await aSecureNode(t)
  const connector = certificates.material('connector', 'c1')
  const transport = transportOf(t, connector, node.address)
  const { nodeId } = await transport.describe(DEADLINE_MS)
  const { stream, next } = aStream(transport)
  stream.send(aBatch(nodeId, 1, [anAccept('cluster/x', Buffer.from('kept'))]))
  await next()
  const range = { start: '', end: '', omitValues: false }
  const contents = async () => (await Array.fromAsync(transport.scan(range))).flat().map(wholeEntry)
  const before = await contents()
  const identity = { cluster: TEST_CLUSTER, kind: 'connector', name: 'c1' } as const
  let count = 0
  const attempts = [
    [
      { identity: { ...identity, cluster: 'another' } },
      /^its certificate is of the cluster another, and not of test-cluster$/,
    ],
    [{ identity: undefined }, /^its certificate names no process of a cluster$/],
    [{ identity, ca: await strangeCa() }, /^its certificate is signed by no CA of this cluster$/],
    [{ identity, now: new Date(Date.now() - 800 * 86_400_000) }, /^its certificate has expired$/],
    [{ identity, usages: ['server' as const] }, /^its certificate is not for clients$/],
  ] as const
  for (const [subject, problem] of attempts) {
    const { cert, key } = await certificates.leaf(subject)
    const session = connectHttp2(`https://${node.address}`, { cert, key, rejectUnauthorized: false })
    session.on('error', () => undefined)
    const request = session.request({ ':method': 'POST', ':path': nodeService.exchange.path })
    request.on('error', () => undefined)
    await closeOf(session)
    count += 1
    assert.match(await refusal(node.refusals, count), problem)
  }
  const { cert, key } = connector
  for (const [options, problem] of [
    [{}, /^it showed no certificate$/],
    [{ cert, key, maxVersion: 'TLSv1.2' as const }, /^it does not speak TLS 1\.3$/],
    [{ cert, key, ALPNProtocols: [] }, /^it does not speak HTTP\/2$/],
    [{ cert, key, ALPNProtocols: ['http/1.1'] }, /^(the TLS handshake failed|it does not speak HTTP\/2)/],
  ] as const) {
    const socket = strange({
      host: node.host,
      port: node.port,
      ...options,
      ...('ALPNProtocols' in options && { ALPNProtocols: [...options.ALPNProtocols] }),
    })
    await closeOf(socket)
    count += 1
    assert.match(await refusal(node.refusals, count), problem)
  }
  assert.deepEqual(await contents(), before)
})

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0', 'latin1')
const HELLO = Buffer.from('16030100c8010000c40303', 'hex')

test('garbage, plain HTTP/2 and half a handshake end their connections, and leave nothing open', async (t) => {
  const node = await aSecureNode(t, { handshakeTimeoutMs: 50 })
  await assertNothingLeft(processCounts, async () => {
    for (const bytes of [
      PREFACE,
      Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'),
      Buffer.alloc(100_000, 7),
      Buffer.alloc(20_000),
      HELLO,
      Buffer.alloc(0),
    ]) {
      const socket = connectTcp(node.port, node.host)
      socket.on('error', () => undefined)
      socket.resume()
      if (bytes.length > 0) socket.write(bytes)
      await closeOf(socket)
    }
  })
  assert.ok(node.refusals.includes('its TLS handshake took too long'))
  assert.ok(node.refusals.includes('it speaks plain HTTP, and this port takes TLS only'))
})

test('of too many handshakes the oldest is ended, and a connector still comes through', async (t) => {
  const node = await aSecureNode(t, { handshakeTimeoutMs: 60_000, handshakesMax: 8 })
  const slow = Array.from({ length: 20 }, () => {
    const socket = connectTcp(node.port, node.host)
    socket.on('error', () => undefined)
    return socket.resume()
  })
  t.after(() => slow.forEach((socket) => void socket.destroy()))
  assert.match(await refusal(node.refusals, 12), /^too many handshakes were under way/)
  const connector = certificates.material('connector', 'c1')
  await transportOf(t, connector, node.address).describe(DEADLINE_MS)
  assert.equal(slow.filter((socket) => !socket.destroyed).length, 7)
})

test('of too many connections after a good handshake the next is closed; strangers take no place of them', async (t) => {
  const refused: object[] = []
  const connections = new ConnectionLimit(4, (about) => refused.push(about))
  const node = await aSecureNode(t, { connections })
  const opened: { destroy: () => void }[] = []
  t.after(() => opened.forEach((socket) => void socket.destroy()))
  for (let count = 0; count < 10; count += 1) {
    const stranger = connectTcp(node.port, node.host).resume()
    stranger.on('error', () => undefined)
    await once(stranger, 'connect')
    opened.push(stranger)
  }
  const transports = ['c1', 'c1'].map(() =>
    transportOf(t, certificates.material('connector', 'c1'), node.address),
  )
  for (const transport of transports) await transport.describe(DEADLINE_MS)
  assert.deepEqual([connections.count, refused], [2, []])
  const { cert, key } = certificates.material('connector', 'c1')
  const third = strange({ host: node.host, port: node.port, cert, key })
  opened.push(third)
  await closeOf(third)
  assert.deepEqual(refused, [{ address: node.host, openCount: 2 }])
  await transports[0]!.describe(DEADLINE_MS)
})

test('a connection that has ended, after a good handshake or in it, is kept nowhere', async (t) => {
  const node = await aSecureNode(t)
  const { cert, key } = certificates.material('connector', 'c1')
  const work = async () => {
    for (let count = 0; count < 5; count += 1) {
      const good = strange({ host: node.host, port: node.port, cert, key })
      await once(good, 'secureConnect')
      const half = connectTcp(node.port, node.host)
      half.on('error', () => undefined)
      await once(half, 'connect')
      for (const socket of [good, half]) {
        socket.destroy()
        await closeOf(socket)
      }
    }
  }
  await assertNothingLeft(() => ({ connections: liveCount(Socket) }), work)
})

test('garbage after a good handshake is no more than garbage on a plain port', async (t) => {
  const node = await aSecureNode(t)
  const { cert, key } = certificates.material('connector', 'c1')
  await assertNothingLeft(processCounts, async () => {
    for (const bytes of [
      Buffer.alloc(50_000, 7),
      PREFACE.subarray(0, 10),
      Buffer.concat([PREFACE, Buffer.alloc(30, 255)]),
    ]) {
      const socket = strange({ host: node.host, port: node.port, cert, key })
      await once(socket, 'secureConnect')
      socket.write(bytes)
      await Promise.race([closeOf(socket), wait(100)])
      socket.destroy()
    }
  })
  await transportOf(t, certificates.material('connector', 'c1'), node.address).describe(DEADLINE_MS)
  assert.deepEqual([node.refusals, node.failures], [[], []])
})

test('the session of an earlier connection is of no use: each connection shows its certificate', async (t) => {
  const node = await aSecureNode(t)
  const { cert, key } = certificates.material('connector', 'c1')
  const { host, port } = node
  const first = strange({ host, port, cert, key })
  const sessions: Buffer[] = []
  first.on('session', (session: Buffer) => void sessions.push(session))
  await once(first, 'secureConnect')
  // A node sends its settings when it has let a connection in, and a session comes before them.
  await once(first, 'data')
  first.destroy()
  assert.notDeepEqual(sessions, [], 'this is a test of nothing if no session is ever offered')
  for (const session of sessions) {
    const again = strange({ host, port, session })
    let isReused: boolean | undefined
    again.once('secureConnect', () => {
      isReused = again.isSessionReused()
    })
    await closeOf(again)
    assert.equal(isReused, false)
  }
  assert.equal(await refusal(node.refusals, sessions.length), 'it showed no certificate')
})

test('new files count for new connections, and a CA that is gone ends the connections that it had let in', async (t) => {
  const node = await aSecureNode(t)
  const old = transportOf(t, certificates.material('connector', 'c1'), node.address)
  const { stream, next, closed } = aStream(old)
  const { nodeId } = await old.describe(DEADLINE_MS)
  const send = async (batchId: number) => {
    stream.send(aBatch(nodeId, batchId, [{ key: 'cluster/x', request: { kind: 'read' } }]))
    return (await next()).answers.length
  }
  assert.equal(await send(1), 1)
  const renewed = await testCertificates()
  const both = Buffer.concat([certificates.material('node', 'n1').ca!, renewed.material('node', 'n1').ca!])
  const overlapping = (from: TestCertificates, kind: 'node' | 'connector', name: string) => {
    const paths = from.paths(kind, name)
    const file = `${paths.caFile}.both`
    writeFileSync(file, both)
    return readMaterial({ ...paths, caFile: file })
  }
  // Both sides trust both CAs, and the node has a certificate of the new one.
  node.renew(overlapping(renewed, 'node', 'n1'))
  assert.equal(await send(2), 1)
  const next1 = transportOf(t, overlapping(certificates, 'connector', 'c1'), node.address)
  assert.equal((await next1.describe(DEADLINE_MS)).nodeId, nodeId)
  const next2 = transportOf(t, renewed.material('connector', 'c1'), node.address)
  assert.equal((await next2.describe(DEADLINE_MS)).nodeId, nodeId)
  assert.deepEqual(node.refusals, [])
  // The old CA is gone.
  node.renew(renewed.material('node', 'n1'))
  await closed
  assert.match(node.refusals[0]!, /^the CA of its certificate is no longer trusted$/)
  assert.equal((await next2.describe(DEADLINE_MS)).nodeId, nodeId)
  await assert.rejects(next1.describe(DEADLINE_MS))
})
