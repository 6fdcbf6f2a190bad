/** For tests: what a peer that means harm can send to a node, over TCP alone or after a TLS handshake. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect as connectHttp2, constants } from 'node:http2'
import { connect as connectTcp, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { fileURLToPath } from 'node:url'
import { credentials, loadPackageDefinition, type ServiceClientConstructor, status } from '@grpc/grpc-js'
import { loadSync } from '@grpc/proto-loader'
import fc from 'fast-check'
import { ROUND_MAX } from '../register/ballot.ts'
import { connectGrpc, type Security } from '../rpc/grpc-transport.ts'
import type { ScanEntry } from '../rpc/messages.ts'
import { nodeService } from '../rpc/service.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { nodeChannel } from '../tls/node-channel.ts'
import { type TestCertificates, testCertificates } from './certificates.ts'
import { type NodeProcess, startNodeProcess } from './node-process.ts'
import { aBatch, anAccept, aStream } from './node-service.ts'
import { wholeAnswer, wholeEntry } from './whole.ts'

const KEY = 'cluster/x'
const DEADLINE_MS = 5_000

/**
 * Tests that nothing of it ends the node or changes a record. `isEncrypted`: the peer has a valid certificate
 * of a connector.
 */
export function testHostilePeers(isEncrypted: boolean): void {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-hostile-'))
  let node: NodeProcess
  let address: string
  let nodeId: string
  let certificates: TestCertificates | undefined

  before(async () => {
    certificates = isEncrypted ? await testCertificates() : undefined
    node = startNodeProcess(directory, { tls: certificates?.paths('node', 'n1') })
    address = await node.listening
    const transport = connect()
    nodeId = (await transport.describe(DEADLINE_MS)).nodeId
    const { stream, next } = aStream(transport)
    stream.send(aBatch(nodeId, 1, [anAccept(KEY, Buffer.from('kept'))]))
    assert.equal(wholeAnswer((await next()).answers[0]).ok, true)
    transport.close()
  })

  after(async () => {
    node.child.kill('SIGTERM')
    assert.equal(await node.ended, 0)
    rmSync(directory, { recursive: true })
  })

  /** How a connector of the cluster connects. */
  const security = (): Security | undefined =>
    certificates && nodeChannel(certificates.material('connector', 'c1'), address)

  function connect(): NodeTransport {
    const how = security()
    return connectGrpc(address, how === undefined ? {} : { security: () => how })
  }

  /** Everything that the node holds, as another connector sees it. */
  async function contents(): Promise<readonly ScanEntry[]> {
    const transport = connect()
    try {
      const description = await transport.describe(DEADLINE_MS)
      assert.deepEqual([description.nodeId, description.membership], [nodeId, undefined])
      const signal = AbortSignal.timeout(DEADLINE_MS)
      const pages = await Array.fromAsync(transport.scan({ start: '', end: '', omitValues: false }, signal))
      return pages.flat().map(wholeEntry)
    } finally {
      transport.close()
    }
  }

  /**
   * Runs `attack`, and asserts that the node serves afterwards, holds what it held, and has no more sockets
   * or files open.
   */
  async function assertUnharmed(attack: () => Promise<void>): Promise<void> {
    const before = await contents()
    const openBefore = await settledCount()
    await attack()
    assert.deepEqual(await contents(), before)
    const openAfter = await settledCount(openBefore)
    assert.ok(openAfter <= openBefore, `${openAfter} open files and sockets, ${openBefore} before`)
  }

  /**
   * The open files and sockets of the node, once they are no more than `most`, or after a second. 0 without
   * /proc.
   */
  async function settledCount(most = 0): Promise<number> {
    const count = (): number => {
      try {
        return readdirSync(`/proc/${node.child.pid}/fd`).length
      } catch {
        return 0
      }
    }
    for (let tries = 0; tries < 100 && count() > most; tries += 1) await wait(10)
    return count()
  }

  /** A connection as HTTP/2 uses it: after the handshake, if there is one. */
  function openSocket(): Socket {
    const [host, port] = address.split(':')
    if (certificates === undefined) return connectTcp(Number(port), host)
    const { cert, key } = certificates.material('connector', 'c1')
    const options = { rejectUnauthorized: false, ALPNProtocols: ['h2'], cert, key }
    return connectTls({ host: host!, port: Number(port), ...options })
  }

  /** Sends bytes over a connection, and waits until the node has closed it, or for `patienceMs`. */
  async function sendRaw(bytes: Uint8Array, patienceMs = 100): Promise<void> {
    const socket = openSocket()
    socket.on('error', () => undefined)
    socket.resume()
    socket.write(bytes)
    await Promise.race([new Promise((resolve) => socket.once('close', resolve)), wait(patienceMs)])
    socket.destroy()
  }

  const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')

  test('bytes that are not HTTP/2, and frames without meaning, harm nothing', async () => {
    await assertUnharmed(async () => {
      const tlsHello = Buffer.from('16030100c8010000c40303', 'hex')
      const settings = Buffer.from('000000040000000000', 'hex')
      for (const bytes of [
        Buffer.from('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'),
        tlsHello,
        PREFACE.subarray(0, 10),
        Buffer.concat([PREFACE, settings, Buffer.from('ffffff00ff7fffffff', 'hex')]),
        Buffer.concat([PREFACE, settings, Buffer.alloc(10_000, 0xff)]),
      ]) {
        await sendRaw(bytes)
      }
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.boolean(), async (bytes, hasPreface) => {
          await sendRaw(hasPreface ? Buffer.concat([PREFACE, settings, bytes]) : bytes, 20)
        }),
        { numRuns: 30 },
      )
    })
  })

  type Call = Readonly<{ path?: string; contentType?: string; bytes?: Uint8Array; isCut?: boolean }>

  /** One call over HTTP/2. Resolves with the gRPC status, or with `undefined` where there is none. */
  async function call({ path, contentType, bytes, isCut = false }: Call): Promise<number | undefined> {
    const scheme = isEncrypted ? 'https' : 'http'
    const session = connectHttp2(`${scheme}://${address}`, { createConnection: openSocket })
    session.on('error', () => undefined)
    try {
      const request = session.request({
        ':method': 'POST',
        ':path': path ?? nodeService.exchange.path,
        'content-type': contentType ?? 'application/grpc',
        te: 'trailers',
      })
      request.on('error', () => undefined)
      let code: number | undefined
      const look = (headers: object) => {
        const found = (headers as Record<string, unknown>)['grpc-status']
        if (found !== undefined) code = Number(found)
      }
      request.on('response', look)
      request.on('trailers', look)
      request.resume()
      if (bytes !== undefined) request.write(bytes)
      if (isCut) {
        await wait(20)
        request.close(constants.NGHTTP2_CANCEL)
      } else request.end()
      await Promise.race([once(request, 'close'), wait(DEADLINE_MS)])
      assert.ok(request.closed, 'the node ends the call')
      return code
    } finally {
      session.destroy()
    }
  }

  function frame(message: Uint8Array, { length = message.length, flag = 0 } = {}): Buffer {
    const head = Buffer.from([flag, 0, 0, 0, 0])
    head.writeUInt32BE(length, 1)
    return Buffer.concat([head, message])
  }

  const PATHS = Object.values(nodeService).map(({ path }) => path)

  test('incomplete messages, messages with a wrong length, and random bytes harm nothing', async () => {
    await assertUnharmed(async () => {
      const some = Buffer.from('some bytes that are no message')
      assert.equal(await call({ path: '/cohort.v1.Node/Format' }), status.UNIMPLEMENTED)
      await call({ contentType: 'text/plain', bytes: some })
      for (const path of PATHS) {
        for (const isCut of [true, false]) {
          await call({ path, bytes: some.subarray(0, 3), isCut })
          await call({ path, bytes: frame(some, { length: 1_000 }), isCut })
          await call({ path, bytes: frame(some, { length: 2 ** 32 - 1 }), isCut })
          await call({ path, bytes: frame(some, { flag: 1 }), isCut })
        }
      }
      await fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...PATHS),
          fc.uint8Array({ maxLength: 300 }),
          async (path, bytes) => {
            await call({ path, bytes: frame(bytes) })
          },
        ),
        { numRuns: 60 },
      )
    })
  })

  /**
   * Sends a batch in the words of `node.proto`, with values that this program's own encoder would not write.
   */
  async function exchange(t: TestContext, batch: object): Promise<{ code?: number; answer?: AnyAnswer }> {
    const proto = fileURLToPath(new URL('../../proto/cohort/v1/node.proto', import.meta.url))
    const loaded = loadPackageDefinition(loadSync(proto, { longs: String })) as unknown as {
      cohort: { v1: { Node: ServiceClientConstructor } }
    }
    const how = security() ?? { credentials: credentials.createInsecure(), options: {} }
    const client = new loaded.cohort.v1.Node(address, how.credentials, how.options)
    t.after(() => client.close())
    const deadline = Date.now() + DEADLINE_MS
    const stream = client.Exchange!({ deadline })
    stream.write({ batchId: 1, nodeId, ...batch })
    const outcome = await new Promise<{ code?: number; answer?: AnyAnswer }>((resolve) => {
      stream.on('data', (answer: AnyAnswer) => resolve({ answer }))
      stream.on('error', ({ code }: { code: number }) => resolve({ code }))
    })
    stream.cancel()
    client.close()
    return outcome
  }

  type AnyAnswer = Readonly<{ answers: { ok: boolean }[]; mismatch: object | null }>

  const FIRST = { round: 1 }
  const NEXT = { round: 2 }
  const ID = { proposerId: 5, sequence: 1 }
  const STATE = { generation: 1, lineage: [ID], value: Buffer.from('other') }
  const BEYOND = String(2n ** 53n)
  /** The first round number that every node refuses, and the last that a message can hold. */
  const ROUNDS_ABOVE = [ROUND_MAX + 1, 2 ** 52, 2 ** 53 - 1]
  const MOST = String(2n ** 64n - 1n)

  function accept(parts: object): object {
    return { key: KEY, accept: { ballot: FIRST, state: STATE, next: NEXT, ...parts } }
  }

  /** Every place in which a round number can stand. */
  function requestsOfRound(round: number): [string, object][] {
    const ballot = { round, proposerId: 5 }
    const learn = { ballot: FIRST, state: STATE, next: NEXT }
    return Object.entries({
      prepare: { prepare: { ballot } },
      accept: { accept: { ballot, state: STATE, next: { round, proposerId: 6 } } },
      'next of an accept': { accept: { ballot: FIRST, state: STATE, next: ballot } },
      learn: { learn: { ...learn, ballot, next: { round, proposerId: 6 } } },
      'next of a learn': { learn: { ...learn, next: ballot } },
      mark: { mark: { ballot, writeId: ID } },
      stub: { stub: { ballot, writeId: ID } },
      drop: { drop: { promised: ballot } },
    }).map(([kind, request]) => [`a ${kind} of round ${round}`, { key: KEY, ...request }])
  }

  /** Requests that are valid protobuf, and that a node must refuse. */
  const ABSURD_REQUESTS: Readonly<Record<string, object>> = {
    ...Object.fromEntries(ROUNDS_ABOVE.flatMap(requestsOfRound)),
    'a round beyond 2^53': { key: KEY, prepare: { ballot: { round: BEYOND } } },
    'a round of 2^64 - 1': { key: KEY, prepare: { ballot: { round: MOST } } },
    'a proposer id beyond 2^52': {
      key: KEY,
      prepare: { ballot: { round: 5, proposerId: String(2n ** 52n) } },
    },
    'a ballot without a round': { key: KEY, prepare: { ballot: {} } },
    'a prepare without a ballot': { key: KEY, prepare: {} },
    'a drop without a ballot': { key: KEY, drop: {} },
    'a mark without a write id': { key: KEY, mark: { ballot: FIRST } },
    'a stub of half a write id': { key: KEY, stub: { ballot: FIRST, writeId: { sequence: 1 } } },
    'no key': { read: {} },
    'no kind': { key: KEY },
    'a key in no namespace': { key: 'x', read: {} },
    'a key with a NUL': { key: 'cluster/\0', read: {} },
    'a giant key': { key: `cluster/${'k'.repeat(5_000)}`, read: {} },
    'a giant value': accept({ state: { ...STATE, value: Buffer.alloc(1024 * 1024 + 1) } }),
    'a giant lineage': accept({ state: { ...STATE, generation: 100_000, lineage: Array(100_000).fill(ID) } }),
    'a lineage of another length than the generation says': accept({ state: { ...STATE, generation: 3 } }),
    'a state without a lineage': accept({ state: { generation: 1 } }),
    'an absent state with a value': accept({ state: { value: Buffer.from('x') } }),
    'an empty write id in a lineage': accept({ state: { generation: 2, lineage: [{}, ID] } }),
    'an accept without a state': { key: KEY, accept: { ballot: FIRST, next: NEXT } },
    'an accept without a next ballot': { key: KEY, accept: { ballot: FIRST, state: STATE } },
    'a next ballot that is not above': accept({ next: FIRST }),
    'a learn whose next ballot is below': { key: KEY, learn: { ballot: NEXT, state: STATE, next: FIRST } },
  }

  test('a request with an absurd value ends its stream with INVALID_ARGUMENT, and changes nothing', async (t) => {
    await assertUnharmed(async () => {
      for (const [name, request] of Object.entries(ABSURD_REQUESTS)) {
        const { code } = await exchange(t, { requests: [request] })
        assert.equal(code, status.INVALID_ARGUMENT, name)
      }
      const reads = Array(1_025).fill({ key: KEY, read: {} })
      assert.equal(
        (await exchange(t, { requests: reads })).code,
        status.INVALID_ARGUMENT,
        'too many requests',
      )
    })
  })

  const MEMBER = { nodeId: 'n', address: 'h:1' }
  const MEMBERSHIP = { clusterId: 'c', epoch: 1, members: [MEMBER], tombstoneGraceMs: 3_600_000 }

  /** Parts of a batch that a node must refuse, beside its requests. */
  const ABSURD_BATCHES: Readonly<Record<string, object>> = {
    'no batch id': { batchId: 0 },
    'a batch id beyond 2^53': { batchId: BEYOND },
    'a cluster without an epoch': { clusterId: 'c' },
    'an epoch without a cluster': { epoch: 1 },
    'a giant cluster id': { clusterId: 'c'.repeat(100_000), epoch: 1 },
    'a giant node id': { nodeId: 'n'.repeat(100_000) },
    'an empty membership': { membership: {} },
    'a membership without members': { membership: { ...MEMBERSHIP, members: [] } },
    'a membership of 1,000 members': { membership: { ...MEMBERSHIP, members: Array(1_000).fill(MEMBER) } },
    'a member twice': { membership: { ...MEMBERSHIP, members: [MEMBER, MEMBER] } },
    'a member without an address': { membership: { ...MEMBERSHIP, members: [{ nodeId: 'n' }] } },
    'a giant address': {
      membership: { ...MEMBERSHIP, members: [{ ...MEMBER, address: 'h'.repeat(100_000) }] },
    },
    'a membership of epoch 0': { membership: { ...MEMBERSHIP, epoch: 0 } },
  }

  test('a batch with an absurd header ends its stream with INVALID_ARGUMENT, and changes nothing', async (t) => {
    await assertUnharmed(async () => {
      for (const [name, parts] of Object.entries(ABSURD_BATCHES)) {
        const { code } = await exchange(t, { requests: [accept({})], ...parts })
        assert.equal(code, status.INVALID_ARGUMENT, name)
      }
    })
  })

  test('a batch for another node, cluster or epoch is answered with a mismatch, and changes nothing', async (t) => {
    await assertUnharmed(async () => {
      const wrong = [
        { nodeId: 'another' },
        { nodeId: '' },
        { clusterId: 'another', epoch: 1 },
        { clusterId: 'another', epoch: String(2n ** 53n - 1n) },
        // A new node acts on no key of clients.
        { requests: [{ ...accept({}), key: 'group/x' }] },
        // The membership does not name this node.
        { membership: MEMBERSHIP, clusterId: 'c', epoch: 1 },
      ]
      for (const parts of wrong) {
        const { answer } = await exchange(t, { requests: [accept({})], ...parts })
        assert.notEqual(answer?.mismatch ?? null, null, JSON.stringify(parts))
        assert.deepEqual(answer?.answers ?? [], [])
      }
    })
  })

  test('an invalid scan or digest request is answered or refused, and harms nothing', async () => {
    await assertUnharmed(async () => {
      const transport = connect()
      const starts = ['', 'zzz', '\0', '\ud800', '\u{10ffff}', 's'.repeat(1_000_000)]
      for (const start of starts) {
        for (const end of ['', 'a', start]) {
          const range = { start, end, omitValues: false, leaves: new Set([0, 65_535]) }
          await Array.fromAsync(transport.scan(range, AbortSignal.timeout(DEADLINE_MS))).catch(
            () => undefined,
          )
        }
      }
      const digests = { clusterId: '', epoch: 0, nodeId, branches: Array<number>(256).fill(255) }
      assert.equal((await transport.digest(digests, DEADLINE_MS)).digests.length, 65_536)
      for (const branches of [[256], Array<number>(257).fill(0), [2 ** 53 - 1]])
        await assert.rejects(transport.digest({ ...digests, branches }, DEADLINE_MS))
      transport.close()
    })
  })

  test('all of this has not taken much memory', { skip: process.platform !== 'linux' }, () => {
    const status = readFileSync(`/proc/${node.child.pid}/status`, 'utf8')
    const peakKib = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1])
    assert.ok(peakKib < 250_000, `${peakKib} KiB at most`)
  })
}
