/**
 * How soon clients that watch are told of a change, with many of them on one connector: the time from the
 * `createdAt` of a group to its event, at some of the clients, and the memory of the connector.
 *
 *   npm run bench:watch -- [--watchers 1000] [--rate 500] [--seconds 10]
 */
import { readFile } from 'node:fs/promises'
import { Agent, get, type IncomingMessage } from 'node:http'
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { LocalCluster } from '../test/cluster/local-cluster.ts'

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

/** So many clients read the times of the events. The others count bytes, which costs less. */
const SAMPLED = Math.min(20, watcherCount)

const agent = new Agent({ keepAlive: false, maxSockets: Number.POSITIVE_INFINITY })
const latenciesMs: number[] = []
const counts = { bytes: 0, events: 0, resets: 0, ended: 0 }

function watch(url: string, isSampled: boolean): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = get(`${url}/v1/watch`, { agent }, (answer) => {
      let rest = ''
      answer.on('data', (bytes: Buffer) => {
        counts.bytes += bytes.length
        if (!isSampled) return
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
        counts.ended += 1
      })
      resolve(answer)
    })
    request.on('error', reject)
  })
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+)/.exec(status)![1]) / 1024
}

await using cluster = await LocalCluster.start({ connectorArgs: ['--log-level', 'warn'] })
const connector = cluster.connectors[0]!
const answers: IncomingMessage[] = []
while (answers.length < watcherCount) {
  const more = Math.min(50, watcherCount - answers.length)
  answers.push(
    ...(await Promise.all(
      Array.from({ length: more }, (_, index) => watch(connector.url, answers.length + index < SAMPLED)),
    )),
  )
}
const idleMb = await residentMb(connector.pid!)
const pool = new Pool(connector.url, { connections: 16 })
let created = 0
let mostMb = 0
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
  mostMb = Math.max(mostMb, await residentMb(connector.pid!))
  await sleep(10)
}
await Promise.all(creating)
const tookMs = performance.now() - startMs
for (let waited = 0; counts.events < created * SAMPLED && waited < 30_000; waited += 100) {
  mostMb = Math.max(mostMb, await residentMb(connector.pid!))
  await sleep(100)
}
const endedEarly = counts.ended
for (const answer of answers) answer.destroy()
await pool.destroy()

const [cpu] = cpus()
const sorted = latenciesMs.sort((a, b) => a - b)
const quantile = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
console.log(`${cpus().length} cores, ${cpu?.model}; Node ${process.version}\n`)
console.log(
  '| watchers | changes/s | events told | lost watches | 50 %, ms | 99 %, ms | connector, MB: idle, most |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- |')
console.log(
  `| ${watcherCount} | ${((created / tookMs) * 1_000).toFixed(0)} | ${counts.events} of ${created * SAMPLED} at ${SAMPLED} clients | ${endedEarly} | ${quantile(0.5)} | ${quantile(0.99)} | ${idleMb.toFixed(0)}, ${mostMb.toFixed(0)} |`,
)
