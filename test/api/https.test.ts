/** HTTPS: the same API, with certificates that change while it runs. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect as connectTcp, Socket } from 'node:net'
import { before, type TestContext, test } from 'node:test'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { certificateOf, httpsOptions } from '../../src/http/https.ts'
import { strangeCa, type TestCertificates, testCertificates } from '../../src/testing/certificates.ts'
import { assertNothingLeft, liveCount } from '../../src/testing/resource-counts.ts'
import { readMaterial, type TlsMaterial } from '../../src/tls/material.ts'
import { type Door, listen, PLACES } from './raw-http.ts'
import { testApp } from './test-app.ts'

let certificates: TestCertificates
before(async () => {
  certificates = await testCertificates()
})

const SERVER = { hosts: ['localhost', '127.0.0.1', '127.0.0.2', '::1'], usages: ['server'] as const }

/** The real app with HTTPS, the subjects of the clients that it sees, and a way to change its files. */
async function secureApp(
  t: TestContext,
  {
    asksForCertificates = false,
    place = PLACES[0],
    ...overrides
  }: {
    asksForCertificates?: boolean
    place?: (typeof PLACES)[number]
    drainGraceMs?: number
    drainTimeoutMs?: number
  } = {},
) {
  const read = async (from: TestCertificates = certificates) => {
    const { caFile, ...paths } = await from.leafPaths(SERVER)
    return readMaterial({ ...paths, caFile: asksForCertificates ? caFile : undefined })
  }
  let current = await read()
  let onChange: (material: TlsMaterial) => void = () => {}
  const world = testApp({
    certificates: {
      get current() {
        return current
      },
      onChange: (listener) => {
        onChange = listener
      },
    },
    ...overrides,
  })
  const subjects: (string | undefined)[] = []
  world.app.addHook('onRequest', (request, _reply, done) => {
    subjects.push(certificateOf(request.raw.socket)?.subject)
    done()
  })
  const door = await listen(world.app, t, place)
  const renew = (material: TlsMaterial) => {
    current = material
    onChange(material)
  }
  return { ...world, door, subjects, read, renew }
}

/** A connection as a client makes it that trusts the CA of the cluster. */
async function open(door: Door, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({ ...door, ca: certificates.ca.cert, ...options })
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

/** A request on a connection of its own. */
async function get(door: Door, path: string, options: ConnectionOptions = {}): Promise<IncomingMessage> {
  const request = httpsRequest({ ...door, path, agent: false, ca: certificates.ca.cert, ...options })
  request.end()
  const [answer] = (await once(request, 'response')) as [IncomingMessage]
  answer.resume()
  await once(answer, 'close')
  return answer
}

for (const place of PLACES) {
  test(`the API answers by HTTPS, and says that it wants no HTTP (${place.title})`, async (t) => {
    const { door } = await secureApp(t, { place })
    const answer = await get(door, '/v1/group/a')
    assert.equal(answer.statusCode, 404)
    assert.equal(answer.headers['strict-transport-security'], 'max-age=31536000')
    const socket = await open(door)
    assert.equal(socket.getProtocol(), 'TLSv1.3')
    socket.destroy()
    const older = await open(door, { maxVersion: 'TLSv1.2' })
    assert.equal(older.getProtocol(), 'TLSv1.2')
    older.destroy()
    for (const maxVersion of ['TLSv1.1', 'TLSv1'] as const) {
      const old = { maxVersion, minVersion: 'TLSv1' as const, ciphers: 'DEFAULT@SECLEVEL=0' }
      await assert.rejects(open(door, old))
    }
  })
}

test('a handshake has five seconds, a request thirty, and a silent connection three minutes', async (t) => {
  const { app, read } = await secureApp(t)
  const { handshakeTimeout } = httpsOptions({ current: await read(), onChange: () => {} })
  assert.equal(handshakeTimeout, 5_000)
  for (const { server } of [app, testApp().app]) {
    const { requestTimeout, headersTimeout, timeout } = server as Server
    assert.deepEqual([requestTimeout, headersTimeout, timeout], [30_000, 30_000, 180_000])
  }
})

test('a connection that has ended is kept nowhere', async (t) => {
  const { door } = await secureApp(t)
  const work = async () => {
    for (let count = 0; count < 5; count += 1) {
      const socket = await open(door)
      const half = connectTcp(door)
      await once(half, 'connect')
      for (const each of [socket, half]) {
        each.destroy()
        await once(each, 'close')
      }
    }
  }
  await assertNothingLeft(() => ({ connections: liveCount(Socket) }), work)
})

test('without TLS there is no such header', async () => {
  const { headers } = await testApp().app.inject('/livez')
  assert.equal(headers['strict-transport-security'], undefined)
})

test('plain HTTP, garbage and handshakes that fail end their connections, and the API goes on', async (t) => {
  const { door, logged } = await secureApp(t)
  for (const bytes of ['GET /livez HTTP/1.1\r\nhost: x\r\n\r\n', '\0'.repeat(20_000), 'x'.repeat(20_000)]) {
    const socket = connectTcp(door)
    socket.on('error', () => undefined)
    socket.resume().write(bytes)
    await new Promise((resolve) => socket.once('close', resolve))
  }
  await assert.rejects(open(door, { ca: (await strangeCa()).cert }))
  assert.equal((await get(door, '/livez')).statusCode, 200)
  assert.deepEqual(logged, [])
})

test('a client is asked for a certificate, and is let in without one or with one that is not valid', async (t) => {
  const { door, subjects } = await secureApp(t, { asksForCertificates: true })
  const client = { usages: ['client'] as const, hosts: ['client'] }
  const { cert, key } = await certificates.leaf(client)
  const strange = await certificates.leaf({ ...client, ca: await strangeCa() })
  const over = await certificates.leaf({ ...client, now: new Date(Date.now() - 800 * 86_400_000) })
  const server = await certificates.leaf(SERVER)
  for (const options of [{}, { cert, key }, strange, over, server]) {
    const { statusCode } = await get(door, '/livez', {
      cert: options.cert,
      key: options.key,
    } as ConnectionOptions)
    assert.equal(statusCode, 200)
  }
  assert.deepEqual(subjects, [undefined, 'CN=a leaf', undefined, undefined, undefined])
})

test('without a CA of clients, nobody is asked for a certificate', async (t) => {
  const { door, subjects } = await secureApp(t)
  const { cert, key } = await certificates.leaf({ usages: ['client'], hosts: ['client'] })
  assert.equal((await get(door, '/livez', { cert, key })).statusCode, 200)
  assert.deepEqual(subjects, [undefined])
})

test('a changed certificate is used for new connections, and open ones go on', async (t) => {
  const { door, read, renew } = await secureApp(t)
  const serialOf = (socket: TLSSocket) => socket.getPeerX509Certificate()!.serialNumber
  const before = await open(door)
  renew(await read())
  const after = await open(door)
  assert.notEqual(serialOf(after), serialOf(before))
  for (const socket of [before, after]) {
    socket.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
    const [bytes] = await once(socket, 'data')
    assert.match(String(bytes), /^HTTP\/1\.1 200 /)
    socket.destroy()
  }
})

test('a client whose CA is removed is known no longer, not even on a connection that is open', async (t) => {
  const { door, read, renew, subjects } = await secureApp(t, { asksForCertificates: true })
  const { cert, key } = await certificates.leaf({ usages: ['client'], hosts: ['client'] })
  const known = await open(door, { cert, key })
  const anonymous = await open(door)
  const other = await testCertificates()
  renew(await read(other))
  await new Promise((resolve) => known.resume().once('close', resolve))
  anonymous.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  assert.match(String((await once(anonymous, 'data'))[0]), /^HTTP\/1\.1 200 /)
  anonymous.destroy()
  const trusting = { ca: [certificates.ca.cert, other.ca.cert] }
  await get(door, '/livez', { ...trusting, cert, key })
  const { cert: newCert, key: newKey } = await other.leaf({ usages: ['client'], hosts: ['client'] })
  await get(door, '/livez', { ...trusting, cert: newCert, key: newKey })
  assert.deepEqual(subjects, [undefined, undefined, 'CN=a leaf'])
})

test('a close ends connections that have sent no request yet, in and after their handshake', async (t) => {
  const { app, door } = await secureApp(t, { drainGraceMs: 50, drainTimeoutMs: 60_000 })
  const idle = await open(door)
  const half = connectTcp(door)
  half.on('error', () => undefined)
  half.resume().write(Buffer.from('16030100c8010000c40303', 'hex'))
  const used = await open(door)
  used.write('GET /livez HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(used, 'data')
  const ended = [idle.resume(), half, used.resume()].map(
    (socket) => new Promise((done) => socket.once('close', done)),
  )
  const startMs = performance.now()
  await app.close()
  await Promise.all(ended)
  assert.ok(performance.now() - startMs < 4_000, 'before the handshake could time out')
})
