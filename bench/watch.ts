/**
 * How soon clients that watch are told of a change, with many of them on one connector: the time from the
 * `createdAt` of a group to its event, at some of the clients; the memory of the connector; and its CPU time
 * for each event, beside that of a program that does nothing but write as many bytes, in as many writes, to
 * as many sockets.
 *
 *   npm run bench:watch -- [--watchers 1000] [--rate 500] [--seconds 10]
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { residentMb } from './resident-memory.ts'

const { values } = parseArgs({
  options: {
    watchers: { type: 'string', default: '1000' },
    rate: { type: 'string', default: '500' },
    seconds: { type: 'string', default: '10' },
  },
})
const watcherCount = Number(values.watchers)
const rate = Number(values.rate)
const seconds = Number(values.seconds)

/** So many clients read the times of the events. The others only count bytes, which costs less. */
const SAMPLED = Math.min(20, watcherCount)
/** How long the events of the last changes may take. */
const LAST_MS = 30_000

const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
const latenciesMs: number[] = []
const counts = { bytes: 0, chunks: 0, events: 0, resets: 0, ended: 0 }
let isOver = false

/** A client that reads the events. */
function watch(url: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/v1/watch`, { agent }, (answer) => {
      let rest = ''
      answer.on('data', (bytes: Buffer) => {
        counts.bytes += bytes.length
        counts.chunks += 1
        const blocks = (rest + bytes).split('\n\n')
        rest = blocks.pop()!
        const nowMs = Date.now()
        for (const block of blocks) {
          if (block.startsWith('event: reset')) counts.resets += 1
          const createdAt = /"createdAt":"([^"]*)"/.exec(block)?.[1]
          if (createdAt === undefined) continue
          counts.events += 1
          latenciesMs.push(nowMs - Date.parse(createdAt))
        }
      })
      answer.on('close', () => {
        if (!isOver) counts.ended += 1
      })
      resolve(answer)
    })
    request.on('error', reject)
  })
}

/** All clients that only read read into these bytes. */
const unread = Buffer.alloc(256 * 1_024)

/** A client that reads and looks at nothing. */
async function read(port: number, request?: string): Promise<Socket> {
  const socket = connect({
    port,
    host: '127.0.0.1',
    onread: { buffer: unread, callback: () => true },
  })
  socket.on('error', () => undefined)
  socket.on('close', () => {
    if (!isOver) counts.ended += 1
  })
  await once(socket, 'connect')
  if (request !== undefined) socket.write(request)
  return socket
}

/** CPU time of a program that writes only, in microseconds for each write to all sockets. */
async function bareUs(bytes: number, everyMs: number): Promise<number> {
  const program = fileURLToPath(new URL('bare-watch.ts', import.meta.url))
  const bareSeconds = Math.min(5, seconds)
  const child = fork(program, [bytes, everyMs, bareSeconds, watcherCount].map(String))
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  const result = once(child, 'message')
  const sockets = await Promise.all(Array.from({ length: watcherCount }, () => read(port)))
  const [{ writes, cpuUs }] = (await result) as [{ writes: number; cpuUs: number }]
  for (const socket of sockets) socket.destroy()
  return cpuUs / writes
}

await using cluster = await LocalCluster.start({ connectorArgs: ['--log-level', 'warn'] })
const connector = cluster.connectors[0]!
const pid = connector.pid!
const ends: { destroy(): void }[] = []
while (ends.length < watcherCount) {
  const more = Math.min(50, watcherCount - ends.length)
  const opening = Array.from({ length: more }, (_, index) =>
    ends.length + index < SAMPLED
      ? watch(connector.url)
      : read(connector.port, 'GET /v1/watch HTTP/1.1\r\nhost: localhost\r\n\r\n'),
  )
  ends.push(...(await Promise.all(opening)))
}
const metrics = async () => (await fetch(`${connector.url}/metrics`)).text()
for (let open = 0; open < watcherCount; ) {
  open = Number(/^cohort_watches (\d+)/m.exec(await metrics())?.[1] ?? 0)
  await sleep(100)
}
const idleMb = residentMb(pid)
const pool = new Pool(connector.url, { connections: 16 })
let created = 0
let mostMb = 0
const beforeUs = cpuTimeUs(pid)
const startMs = performance.now()
const creating: Promise<void>[] = []
for (let sent = 0; performance.now() - startMs < seconds * 1_000; ) {
  const due = Math.floor(((performance.now() - startMs) / 1_000) * rate)
  for (; sent < due; sent += 1) {
    const body = JSON.stringify({ groupId: `watched-${sent}`, labels: { team: 'core' } })
    const headers = { 'content-type': 'application/json' }
    creating.push(
      pool
        .request({ path: '/v1/group', method: 'POST', headers, body })
        .then(async ({ statusCode, body }) => {
          await body.dump()
          if (statusCode === 201) created += 1
        }),
    )
  }
  mostMb = Math.max(mostMb, residentMb(pid))
  await sleep(10)
}
await Promise.all(creating)
const tookMs = performance.now() - startMs
for (let waited = 0; counts.events < created * SAMPLED && waited < LAST_MS; waited += 100) {
  mostMb = Math.max(mostMb, residentMb(pid))
  await sleep(100)
}
const usedUs = cpuTimeUs(pid) - beforeUs
isOver = true
for (const end of ends) end.destroy()
await pool.destroy()
await cluster.stop()

const chunks = Math.max(1, counts.chunks / SAMPLED)
const chunkBytes = Math.round(counts.bytes / SAMPLED / chunks)
const perWriteUs = await bareUs(chunkBytes, Math.max(1, Math.round(tookMs / chunks)))
const told = created * watcherCount

const [cpu] = cpus()
const sorted = latenciesMs.sort((a, b) => a - b)
const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
console.log(
  `${cpus().length} cores, ${cpu?.model}; Node ${process.version}; load ${loadavg()[0]!.toFixed(1)}\n`,
)
console.log(
  '| watchers | changes/s | events told | lost watches | resets | 50 %, ms | 99 %, ms | connector, MB: idle, most |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
console.log(
  `| ${watcherCount} | ${((created / tookMs) * 1_000).toFixed(0)} | ${counts.events} of ${created * SAMPLED} at ${SAMPLED} clients | ${counts.ended} | ${counts.resets} | ${quantile(0.5)} | ${quantile(0.99)} | ${idleMb.toFixed(0)}, ${mostMb.toFixed(0)} |`,
)
console.log(
  `\neach client got ${chunks.toFixed(0)} chunks of ${chunkBytes} bytes; CPU time for each event at each client: ` +
    `connector ${(usedUs / told).toFixed(2)} µs (with the creates), a program that only writes ` +
    `${((perWriteUs * chunks) / told).toFixed(2)} µs`,
)
