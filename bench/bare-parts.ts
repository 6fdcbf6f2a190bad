/**
 * The throughput of the parts of Cohort without Cohort: Fastify takes groups, gRPC streams carry
 * batches of them to three nodes, and SQLite syncs them to disk there, before the answer. No protocol:
 * nothing is validated, decided, marked or repaired, and two creates of one group would both succeed.
 *
 *   node bench/bare-parts.ts node PORT DIRECTORY
 *   node bench/bare-parts.ts api PORT NODE_PORT NODE_PORT NODE_PORT
 */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import {
  Client,
  type ClientDuplexStream,
  credentials,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
} from '@grpc/grpc-js'
import { fastify } from 'fastify'

/** A read asks this many of the three nodes. */
const NODES_READ = 2
const BATCHES_IN_FLIGHT_MAX = 2

const asItIs = (bytes: Buffer) => bytes
const exchange: MethodDefinition<Buffer, Buffer> = {
  path: '/bare.Node/Exchange',
  requestStream: true,
  responseStream: true,
  requestSerialize: asItIs,
  requestDeserialize: asItIs,
  responseSerialize: asItIs,
  responseDeserialize: asItIs,
}

/**
 * Encodes a batch or an answer: texts, each after its length. An operation is a key and a value; `''` means a
 * read.
 */
function encode(texts: readonly string[]): Buffer {
  const bytes = Buffer.allocUnsafe(texts.reduce((sum, text) => sum + 2 + Buffer.byteLength(text), 0))
  let end = 0
  for (const text of texts) {
    const length = bytes.write(text, end + 2)
    bytes.writeUInt16BE(length, end)
    end += 2 + length
  }
  return bytes
}

function decode(bytes: Buffer): string[] {
  const texts: string[] = []
  for (let start = 0; start < bytes.length; ) {
    const end = start + 2 + bytes.readUInt16BE(start)
    texts.push(bytes.toString('utf8', start + 2, end))
    start = end
  }
  return texts
}

function runNode(port: number, directory: string): void {
  const db = new DatabaseSync(join(directory, 'bare.db'))
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000')
  db.exec('CREATE TABLE record (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT')
  const insert = db.prepare('INSERT INTO record VALUES (?, ?) ON CONFLICT DO NOTHING')
  const select = db.prepare('SELECT value FROM record WHERE key = ?')
  const handle = (operations: readonly string[]): string[] => {
    const answers: string[] = []
    db.exec('BEGIN')
    for (let i = 0; i < operations.length; i += 2) {
      const [key, value] = [operations[i]!, operations[i + 1]!]
      if (value === '') answers.push(String(select.get(key)?.value ?? ''))
      else answers.push(String(insert.run(key, value).changes))
    }
    db.exec('COMMIT')
    return answers
  }
  const server = new Server()
  server.addService(
    { exchange },
    {
      exchange(call: ServerDuplexStream<Buffer, Buffer>) {
        call.on('data', (bytes: Buffer) => call.write(encode(handle(decode(bytes)))))
        call.on('end', () => call.end())
      },
    },
  )
  server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error) => {
    if (error !== null) throw error
  })
}

type Operation = Readonly<{ key: string; value: string; onAnswer: (text: string) => void }>

/**
 * A stream to a node. Operations that come while a batch is in flight wait until there are as many as in that
 * batch.
 */
class Link {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>
  readonly #inFlight: Operation[][] = []
  #waiting: Operation[] = []
  #isDue = false

  constructor(port: string) {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
    this.#stream = client.makeBidiStreamRequest(exchange.path, asItIs, asItIs)
    this.#stream.on('data', (bytes: Buffer) => {
      const answers = decode(bytes)
      this.#inFlight.shift()!.forEach(({ onAnswer }, index) => {
        onAnswer(answers[index]!)
      })
      this.#schedule()
    })
  }

  send(operation: Operation): void {
    this.#waiting.push(operation)
    this.#schedule()
  }

  #schedule(): void {
    const least = this.#inFlight.at(-1)?.length ?? 1
    if (this.#isDue || this.#inFlight.length === BATCHES_IN_FLIGHT_MAX || this.#waiting.length < least) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      const batch = this.#waiting
      this.#waiting = []
      this.#inFlight.push(batch)
      this.#stream.write(encode(batch.flatMap(({ key, value }) => [key, value])))
    })
  }
}

async function runApi(port: number, nodePorts: readonly string[]): Promise<void> {
  const links = nodePorts.map((nodePort) => new Link(nodePort))
  /** Resolves with the last answer when all of these nodes have given theirs. */
  const ask = (asked: readonly Link[], key: string, value: string) =>
    new Promise<string>((resolve) => {
      let awaited = asked.length
      const onAnswer = (text: string) => {
        awaited -= 1
        if (awaited === 0) resolve(text)
      }
      for (const link of asked) link.send({ key, value, onAnswer })
    })
  const app = fastify({ logger: false })
  app.post<{ Body: { groupId: string } }>('/v1/group', async ({ body: { groupId } }, reply) => {
    const now = new Date().toISOString()
    const group = { groupId, version: 1, createdAt: now, updatedAt: now }
    await ask(links, groupId, JSON.stringify(group))
    reply.code(201)
    return group
  })
  app.get<{ Params: { groupId: string } }>('/v1/group/:groupId', async ({ params: { groupId } }) => {
    const text = await ask(links.slice(0, NODES_READ), groupId, '')
    return text === '' ? {} : JSON.parse(text)
  })
  await app.listen({ host: '127.0.0.1', port })
}

const [role, port, ...rest] = process.argv.slice(2)
if (role === 'node') runNode(Number(port), rest[0]!)
else await runApi(Number(port), rest)
