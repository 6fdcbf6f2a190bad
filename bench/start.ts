/**
 * How soon a node with many records answers after its start, and when its digests are complete. The database
 * is generated: groups of 280 bytes, all of them in the index.
 *
 *   npm run bench:start -- [--records 1000000] [--starts 5]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { parseArgs } from 'node:util'
import { checksumOf } from '../src/node/store/columns.ts'
import { digestOf, leafOf } from '../src/node/store/digest-hash.ts'
import { ROW_COLUMNS, rowOf } from '../src/node/store/record-rows.ts'
import { SqliteStore } from '../src/node/store/sqlite-store.ts'
import { connectGrpc } from '../src/rpc/grpc-transport.ts'
import { aWrittenRecord } from '../src/testing/store-fixture.ts'
import { freePorts } from '../test/cluster/ports.ts'
import { THIS_PROGRAM } from '../test/cluster/service.ts'
import { temporaryDirectory } from '../test/cluster/temporary-directory.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { median } from './statistics.ts'

const { values } = parseArgs({
  options: { records: { type: 'string', default: '1000000' }, starts: { type: 'string', default: '5' } },
})
const records = Number(values.records)
const ASK_MS = 10
const ASK_TIMEOUT_MS = 60_000

/** Writes the rows of a node that has had all its keys in the index. */
function generate(path: string): void {
  new SqliteStore(path).close()
  const db = new DatabaseSync(path)
  db.exec('PRAGMA synchronous = OFF; BEGIN')
  const insert = db.prepare(
    `INSERT INTO record (id, key, ${ROW_COLUMNS.join(', ')}) VALUES (?, ?${', ?'.repeat(ROW_COLUMNS.length)})`,
  )
  const value = Buffer.from(JSON.stringify({ groupId: 'a group', description: 'x'.repeat(240) }))
  for (let id = 1; id <= records; id += 1) {
    // Keys come in no order, as those of clients do.
    const key = `group/${((id * 2_654_435_761) % 2 ** 32).toString(16).padStart(8, '0')}-${id}`
    const record = aWrittenRecord(id, value)
    insert.run(id, ...rowOf(key, record, { leaf: leafOf(key), digest: digestOf(key, record) }))
  }
  db.function('entry_checksum', { deterministic: true }, (key, id) => checksumOf(key, id))
  db.exec('INSERT INTO key_index SELECT key, id, entry_checksum(key, id), NULL FROM record ORDER BY key')
  const progress = [records, records, ''] as const
  db.prepare('UPDATE indexing SET indexed_to = ?, last_id = ?, done_to = ?, checksum = ?').run(
    ...progress,
    checksumOf(...progress),
  )
  db.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
  db.close()
}

/** Asks again and again until an answer comes. Resolves with the time since `startMs`. */
async function answeredMs(startMs: number, ask: () => Promise<unknown>): Promise<number> {
  for (;;) {
    try {
      await ask()
      return performance.now() - startMs
    } catch {
      await new Promise((resolve) => setTimeout(resolve, ASK_MS))
    }
  }
}

type Start = Readonly<{ answersMs: number; countedMs: number; cpuMs: number }>

async function start(directory: string, port: number): Promise<Start> {
  const [command, ...args] = THIS_PROGRAM
  const startMs = performance.now()
  const node: ChildProcess = spawn(
    command,
    [...args, 'node', '--port', String(port), '--metrics-port', '0', '--data-dir', directory],
    { stdio: 'ignore' },
  )
  const transport = connectGrpc(`127.0.0.1:${port}`)
  try {
    let nodeId = ''
    const answersMs = await answeredMs(startMs, async () => {
      nodeId = (await transport.describe(ASK_TIMEOUT_MS)).nodeId
    })
    const question = { clusterId: '', epoch: 0, nodeId, branches: [] }
    const countedMs = await answeredMs(startMs, () => transport.digest(question, ASK_TIMEOUT_MS))
    return { answersMs, countedMs, cpuMs: cpuTimeUs(node.pid!) / 1_000 }
  } finally {
    transport.close()
    node.kill()
    await once(node, 'exit')
  }
}

await using directory = await temporaryDirectory()
const dataDirectory = join(directory.path, 'node')
const [port] = await freePorts(1)
// The first start makes the directory.
await start(dataDirectory, port!)
const beganMs = performance.now()
generate(join(dataDirectory, 'node.db'))
const megabytes = statSync(join(dataDirectory, 'node.db')).size / 1e6
console.log(
  `${records} records, ${megabytes.toFixed(0)} MB, generated in ${((performance.now() - beganMs) / 1_000).toFixed(0)} s\n`,
)
const starts: Start[] = []
for (let count = 0; count < Number(values.starts); count += 1) starts.push(await start(dataDirectory, port!))
console.log('| | median, ms | all |')
console.log('| --- | --- | --- |')
for (const [what, pick] of [
  ['the node answers', ({ answersMs }: Start) => answersMs],
  ['its digests are complete', ({ countedMs }: Start) => countedMs],
  ['CPU until then', ({ cpuMs }: Start) => cpuMs],
] as const) {
  const all = starts.map(pick)
  console.log(`| ${what} | ${median(all).toFixed(0)} | ${all.map((ms) => ms.toFixed(0)).join(', ')} |`)
}
