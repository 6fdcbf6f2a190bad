import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { Client, credentials } from '@grpc/grpc-js'
import { service as healthService } from 'grpc-health-check'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import type { KeyedRequest, ReceivedAnswers } from '../rpc/messages.ts'
import type { NodeTransport } from '../rpc/transport.ts'
import { type NodeProcess, startNodeProcess } from '../testing/node-process.ts'
import { wholeAnswer } from '../testing/whole.ts'
import { openDataDirectory } from './store/data-directory.ts'
import { SqliteStore } from './store/sqlite-store.ts'

function aDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-node-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

function start(t: TestContext, dataDir: string, fileBlocksMax?: string): NodeProcess {
  const node = startNodeProcess(dataDir, { fileBlocksMax })
  t.after(() => node.child.kill('SIGKILL'))
  return node
}

async function connect(t: TestContext, node: NodeProcess): Promise<NodeTransport> {
  const transport = connectGrpc(await node.listening)
  t.after(() => transport.close())
  return transport
}

/** The answers of a health watch of the node, as they arrive. */
function watchHealth(t: TestContext, address: string): string[] {
  const watch = healthService.Watch
  assert.ok(watch !== undefined)
  const { path, requestSerialize, responseDeserialize } = watch
  const client = new Client(address, credentials.createInsecure())
  t.after(() => client.close())
  const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service: '' })
  const said: string[] = []
  call.on('data', (answer: object) => said.push('status' in answer ? String(answer.status) : ''))
  call.on('error', () => undefined)
  return said
}

/** Accepts keys of `cluster/` one batch after the other, until `count` or until the node is lost. */
async function write(
  transport: NodeTransport,
  options: Readonly<{ count: number; valueBytes: number }>,
): Promise<{ acknowledged: string[]; end: string }> {
  const { nodeId } = await transport.describe(5_000)
  const acknowledged: string[] = []
  return new Promise((resolve) => {
    const sendNext = () => {
      const index = acknowledged.length + 1
      if (index > options.count) return stream.close()
      const who = { clusterId: '', epoch: 0, nodeId, membership: undefined }
      const header = { batchId: index, ...who, sentMs: 0, lifeMs: 0 }
      stream.send({ ...header, requests: [anAccept(`cluster/${index}`, index, options.valueBytes)] })
    }
    const onAnswers = ({ batchId, answers }: ReceivedAnswers) => {
      assert.equal(wholeAnswer(answers[0]).ok, true)
      acknowledged.push(`cluster/${batchId}`)
      sendNext()
    }
    const stream = transport.open({ onAnswers, onClose: (end) => resolve({ acknowledged, end }) })
    sendNext()
  })
}

function anAccept(key: string, sequence: number, valueBytes: number): KeyedRequest {
  const writeId = { proposerId: 7, sequence }
  const state = { generation: 1, writeId, lineage: [writeId], value: Buffer.alloc(valueBytes, 'x') }
  const [ballot, next] = [1, 2].map((round) => ({ round, proposerId: 0 }))
  assert.ok(ballot !== undefined && next !== undefined)
  return { key, request: { kind: 'accept', ballot, state, next } }
}

test('a second process on a data directory stops at once, and names the directory', async (t) => {
  const directory = aDirectory(t)
  const owner = start(t, directory)
  await owner.listening
  const second = start(t, directory)
  assert.equal(await second.ended, 1)
  assert.equal(second.lines.length, 1)
  assert.match(
    second.lines[0] ?? '',
    /another process is using the data directory .*cohort-node-.*stop it first/,
  )
  assert.ok(second.lines[0]?.includes(directory))
  assert.throws(() => openDataDirectory(directory), { code: 'data_directory_in_use' })

  owner.child.kill('SIGKILL')
  assert.equal(await owner.ended, 'SIGKILL')
  openDataDirectory(directory).close()
})

test('a stopped node answers what it was sent, keeps it, and ends with 0', async (t) => {
  const directory = aDirectory(t)
  const node = start(t, directory)
  const transport = await connect(t, node)
  const writing = write(transport, { count: 1_000_000, valueBytes: 100 })
  await transport.describe(5_000)
  node.child.kill('SIGTERM')
  const { acknowledged } = await writing
  // The program does not call process.exit: whatever a node left open would keep its process alive.
  // Its drain ends when its streams have ended, long before the limit of three seconds.
  assert.equal(await Promise.race([node.ended, wait(2_500, 'still alive')]), 0)
  assert.match(node.lines.at(-1) ?? '', /"msg":"node has stopped"/)
  // The database was closed: what the write-ahead log held is in it, and the log is gone.
  assert.ok(!existsSync(join(directory, 'node.db-wal')))
  const { store, close } = openDataDirectory(directory)
  for (const key of acknowledged) assert.equal(store.load(key).state.generation, 1, key)
  close()
})

test('a stopped node has written all marks of chosen states, however many there are', async (t) => {
  const directory = aDirectory(t)
  const node = start(t, directory)
  const transport = await connect(t, node)
  const { nodeId } = await transport.describe(5_000)
  const accepts = Array.from({ length: 3_000 }, (_, index) => anAccept(`cluster/${index}`, index + 1, 10))
  // Far more marks than a node writes in the tenth of a second between two of its steps.
  const marks = accepts.map(({ key, request }): KeyedRequest => {
    assert.ok(request.kind === 'accept')
    return { key, request: { kind: 'mark', ballot: request.ballot, writeId: request.state.writeId } }
  })
  const requests = [...accepts, ...marks, { key: 'cluster/1', request: { kind: 'read' } } as const]
  const sizes = Array.from({ length: Math.ceil(requests.length / 1_000) }, (_, index) => index)
  await new Promise<void>((resolve) => {
    const onAnswers = ({ batchId }: ReceivedAnswers) => {
      if (batchId === sizes.length) resolve()
    }
    const stream = transport.open({ onAnswers, onClose: () => undefined })
    const who = { clusterId: '', epoch: 0, nodeId, membership: undefined, sentMs: 0, lifeMs: 0 }
    for (const index of sizes) {
      const some = requests.slice(index * 1_000, (index + 1) * 1_000)
      stream.send({ batchId: index + 1, ...who, requests: some })
    }
  })
  node.child.kill('SIGTERM')
  assert.equal(await Promise.race([node.ended, wait(5_000, 'still alive')]), 0)
  const { store, close } = openDataDirectory(directory)
  const unmarked = accepts.filter(({ key }) => !store.load(key).chosen)
  assert.equal(unmarked.length, 0)
  close()
})

test('a stopped node ends within its drain time, also when the other end of a connection never closes it', async (t) => {
  const node = start(t, aDirectory(t))
  const [host, port] = (await node.listening).split(':')
  // A connector that was stopped: its kernel acknowledges, but nobody reads or closes.
  const socket = connectTcp({ host: host!, port: Number(port), allowHalfOpen: true })
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'
  socket.write(Buffer.concat([Buffer.from(preface), Buffer.from('000000040000000000', 'hex')]))
  await once(socket, 'readable')
  // A load balancer asks the node, and hears of the stop before the drain is over.
  const health = watchHealth(t, await node.listening)
  while (health.length === 0) await wait(10)
  node.child.kill('SIGTERM')
  assert.equal(await Promise.race([node.ended, wait(6_000, 'still alive')]), 0)
  assert.deepEqual(health, ['SERVING', 'NOT_SERVING'])
})

test('a node whose data are of another cluster than CLUSTER_ID says so, and changes nothing; else it starts, and gives free space back', async (t) => {
  const directory = aDirectory(t)
  const [ours, other] = ['c0ffee00-0000-4000-8000-00000000000a', 'c0ffee00-0000-4000-8000-00000000000b']
  const opened = openDataDirectory(directory)
  const { store } = opened
  const members = [{ nodeId: store.nodeId, address: 'h:1' }]
  const membership = { clusterId: ours, epoch: 1, members, tombstoneGraceMs: 3_600_000 }
  store.transaction(() => store.saveMembership(membership))
  opened.close()
  leaveFreePages(join(directory, 'node.db'), 2_000)
  const wrong = startNodeProcess(directory, { clusterId: other })
  assert.equal(await wrong.ended, 1)
  assert.match(
    wrong.lines.at(-1)!,
    new RegExp(
      `^CLUSTER_ID is ${other}, but the data directory .* belongs to the cluster ${ours}: .*nothing was changed$`,
    ),
  )
  const right = startNodeProcess(directory, { clusterId: ours })
  t.after(() => right.child.kill('SIGKILL'))
  const transport = await connect(t, right)
  assert.deepEqual((await transport.describe(5_000)).membership, membership)
  const database = new DatabaseSync(join(directory, 'node.db'), { readOnly: true })
  t.after(() => database.close())
  const untilMs = performance.now() + 20_000
  while (freePagesOf(database) > 1_024) {
    assert.ok(performance.now() < untilMs, 'free space is given back a few times a second')
    await wait(50)
  }
})

function freePagesOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA freelist_count').get()?.freelist_count)
}

/** Leaves so many free pages in a database that no process has open. */
function leaveFreePages(path: string, count: number): void {
  const database = new DatabaseSync(path)
  database.exec(`
    CREATE TABLE for_a_moment (bytes BLOB);
    INSERT INTO for_a_moment VALUES (zeroblob(${count * 4_096}));
    DROP TABLE for_a_moment;
  `)
  assert.ok(freePagesOf(database) >= count)
  database.close()
}

test('a killed node has everything that it acknowledged', async (t) => {
  const directory = aDirectory(t)
  const node = start(t, directory)
  const transport = await connect(t, node)
  const writing = write(transport, { count: 1_000_000, valueBytes: 100 })
  while ((await transport.describe(5_000)).recordCount < 50);
  node.child.kill('SIGKILL')
  const { acknowledged } = await writing
  assert.ok(acknowledged.length >= 49, `${acknowledged.length}`)
  const { store, close } = openDataDirectory(directory)
  for (const key of acknowledged) assert.equal(store.load(key).state.generation, 1, key)
  close()
})

test('a node that can write no more acknowledges no more, says why, and ends with 1', async (t) => {
  const directory = aDirectory(t)
  const node = start(t, directory, '1024')
  const transport = await connect(t, node)
  const health = watchHealth(t, await node.listening)
  const { acknowledged } = await write(transport, { count: 1_000, valueBytes: 10_000 })
  assert.equal(await node.ended, 1)
  assert.deepEqual(health, ['SERVING', 'NOT_SERVING'])
  assert.ok(acknowledged.length > 10 && acknowledged.length < 500, `${acknowledged.length}`)
  const failed = node.lines.find((line) => line.includes('node has failed'))
  assert.match(failed ?? '', /"level":50.*"code":"store_failed"/)
  assert.match(failed ?? '', /node\.db cannot be read or written .* is kept.*start the node again/)

  const { store, close } = openDataDirectory(directory)
  for (const key of acknowledged) assert.equal(store.load(key).state.value?.length, 10_000, key)
  close()
})

test('a node whose database is damaged says so and ends with 1', async (t) => {
  const directory = aDirectory(t)
  const { store, close } = openDataDirectory(directory)
  const path = join(directory, 'node.db')
  store.transaction(() => {
    for (let i = 1; i < 200; i++) {
      const { key, request } = anAccept(`cluster/${i}`, i, 1000)
      assert.ok(request.kind === 'accept')
      store.save(key, EMPTY_RECORD, {
        promised: request.next,
        accepted: request.ballot,
        state: request.state,
        chosen: false,
        isStub: false,
      })
    }
  })
  close()
  // The index of keys alone: the node starts, and meets the damage when it reads the index in the background.
  overwrite(path)
  new SqliteStore(path).close()

  const node = start(t, directory)
  assert.equal(await node.ended, 1)
  assert.match(node.lines.find((line) => line.includes('node has failed')) ?? '', /"code":"store_corrupt"/)
})

/** Writes over the first page of the index of keys. */
function overwrite(path: string): void {
  const db = new DatabaseSync(path)
  const root = Number(
    db.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'key_index'").get()?.rootpage,
  )
  db.close()
  const bytes = readFileSync(path)
  writeFileSync(path, bytes.fill(0xa5, (root - 1) * 4096, root * 4096))
}
