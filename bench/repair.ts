/**
 * How long a node that was down during many creates takes to be identical again while clients go on, and what
 * they see of it; then what it costs to compare two equal nodes. Needs `wrk`.
 *
 *   npm run bench:repair -- [--missed 100000] [--clients 16] [--records 1000000]
 */
import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { connectGrpc } from '../src/rpc/grpc-transport.ts'
import { CreateLoad } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { differences, haveEqualDigests } from '../test/cluster/node-contents.ts'
import type { Service } from '../test/cluster/service.ts'
import { until } from '../test/cluster/waiting.ts'
import { compareEqualNodes } from './compare-equal-nodes.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { median } from './statistics.ts'
import { runWrk, type WrkResult } from './wrk.ts'

const { values } = parseArgs({
  options: {
    missed: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '16' },
    records: { type: 'string', default: '1000000' },
  },
})

/** Load is measured in windows of this length, so that those before, during and after can be told apart. */
const WINDOW_SECONDS = 2
/** How many records a node may lack that are on their way. */
const ON_THEIR_WAY = 100

type Window = WrkResult & Readonly<{ startMs: number; endMs: number }>

/** Creates groups without a pause, window by window, until it is stopped. */
class Load {
  readonly windows: Window[] = []
  readonly #url: string
  readonly #loop: Promise<void>
  #isStopped = false

  constructor(url: string, prefix: string) {
    this.#url = url
    this.#loop = this.#run(prefix)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await this.#loop
  }

  async #run(prefix: string): Promise<void> {
    while (!this.#isStopped) {
      const startMs = performance.now()
      const args = [`${prefix}-${this.windows.length}`]
      const { clients } = values
      const result = await runWrk(this.#url, 'create.lua', { clients, seconds: WINDOW_SECONDS, args })
      this.windows.push({ ...result, startMs, endMs: performance.now() })
    }
  }
}

async function recordCountOf(node: Service): Promise<number> {
  const transport = connectGrpc(node.address)
  try {
    return (await transport.describe(1_000)).recordCount
  } catch {
    return 0
  } finally {
    transport.close()
  }
}

async function isCaughtUp(away: Service, other: Service): Promise<boolean> {
  const [has, should] = await Promise.all([recordCountOf(away), recordCountOf(other)])
  return has > 0 && has >= should - ON_THEIR_WAY
}

function row(what: string, windows: readonly Window[]): string {
  const of = (pick: (window: Window) => number) => median(windows.map(pick))
  const worst = Math.max(...windows.map(({ p99Ms }) => p99Ms))
  const errors = windows.reduce((sum, window) => sum + window.errors, 0)
  const cells = [
    what,
    windows.length,
    Math.round(of(({ perSecond }) => perSecond)),
    of(({ p50Ms }) => p50Ms).toFixed(1),
    of(({ p99Ms }) => p99Ms).toFixed(1),
    worst.toFixed(1),
    errors,
  ]
  return `| ${cells.join(' | ')} |`
}

async function measureReturn(): Promise<void> {
  await using cluster = await LocalCluster.start()
  const { url } = cluster.connectors[0]!
  const [, other, away] = cluster.nodes as [Service, Service, Service]
  const load = new Load(url, 'before')
  await sleep(10 * WINDOW_SECONDS * 1_000)
  await load.stop()
  const before = load.windows.slice(1)

  await away.end('SIGKILL')
  const missed = new CreateLoad(url, 'missed', 64, 0)
  await until('they are created', 600_000, () => missed.created.length >= Number(values.missed))
  await missed.stop()
  console.error(`${missed.created.length} groups were created without it, ${missed.failed.length} failed`)

  const during = new Load(url, 'during')
  await sleep(2 * WINDOW_SECONDS * 1_000)
  const returnMs = performance.now()
  const others = cluster.services.filter((service) => service !== away).map(({ pid }) => pid!)
  const cpuBefore = others.map(cpuTimeUs)
  away.start()
  await until('it has caught up', 300_000, async () => {
    await sleep(200)
    return isCaughtUp(away, other)
  })
  const equalMs = performance.now()
  const cpuUs = others.reduce(
    (sum, pid, index) => sum + cpuTimeUs(pid) - cpuBefore[index]!,
    cpuTimeUs(away.pid!),
  )
  await sleep(5 * WINDOW_SECONDS * 1_000)
  await during.stop()
  const restMs = performance.now()
  await until('all nodes are equal', 60_000, () => haveEqualDigests(cluster.nodes))
  const identicalMs = performance.now() - restMs
  const different = await differences(cluster.nodes)

  console.log('| creates | windows | per second | p50 ms | p99 ms | worst p99 ms | errors |')
  console.log('| --- | --- | --- | --- | --- | --- | --- |')
  console.log(row('all nodes up and equal', before))
  const isWithin = (from: number, to: number) => (window: Window) =>
    window.startMs < to && window.endMs > from
  console.log(row('the node is back, and repaired', during.windows.filter(isWithin(returnMs, equalMs))))
  console.log(
    row(
      'repaired',
      during.windows.filter(({ startMs }) => startMs > equalMs),
    ),
  )
  console.log(
    `\nCaught up ${((equalMs - returnMs) / 1_000).toFixed(1)} s after its start, in which connector and nodes used ` +
      `${(cpuUs / 1e6).toFixed(1)} s of CPU, for clients and repair; load average ${loadavg()[0]!.toFixed(1)}.`,
  )
  console.log(
    `All nodes equal ${(identicalMs / 1_000).toFixed(1)} s after the load had ended; ${different.length} keys differ.\n`,
  )
}

const [cpu] = cpus()
console.log(`${cpus().length} cores, ${cpu?.model}; Node ${process.version}; ${values.clients} clients\n`)
await measureReturn()
if (Number(values.records) > 0) await compareEqualNodes(Number(values.records))
