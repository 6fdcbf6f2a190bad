/**
 * What encryption costs: durable creates and linearizable reads per second of a cluster that encrypts
 * everything (mutual TLS between connector and nodes, HTTPS for clients), beside a cluster that encrypts
 * nothing. The rounds of the two alternate in one run on one machine. Needs `wrk`, which encrypts too, and
 * uses the same cores.
 *
 *   npm run bench:doors -- [--clients 64] [--seconds 5] [--rounds 5]
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { runWrk, type WrkResult } from './wrk.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
  },
})

/** One run of wrk, with the CPU time of the connector and the mean of the nodes, in µs for each request. */
type Load = WrkResult & Readonly<{ connectorUs: number; nodeUs: number }>

async function load(
  { connectors: [connector], nodes }: LocalCluster,
  script: string,
  args: readonly string[],
): Promise<Load> {
  const pids = [connector!, ...nodes].map(({ pid }) => pid!)
  const before = pids.map(cpuTimeUs)
  const { clients, seconds } = values
  const result = await runWrk(connector!.url, script, { clients, seconds, args })
  const [connectorUs, ...nodesUs] = pids.map((pid, index) => cpuTimeUs(pid) - before[index]!)
  const nodeUs = nodesUs.reduce((sum, us) => sum + us, 0) / nodesUs.length
  return { ...result, connectorUs: connectorUs! / result.requests, nodeUs: nodeUs / result.requests }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function row(name: string, loads: readonly Load[], plain: readonly Load[]): string {
  const of = (pick: (load: Load) => number) => median(loads.map(pick))
  const ratios = loads.map(({ perSecond }, index) => perSecond / plain[index]!.perSecond)
  const cells = [
    name,
    Math.round(of(({ perSecond }) => perSecond)),
    of(({ p50Ms }) => p50Ms).toFixed(2),
    of(({ p99Ms }) => p99Ms).toFixed(1),
    median(ratios).toFixed(2),
    of(({ connectorUs }) => connectorUs).toFixed(1),
    of(({ nodeUs }) => nodeUs).toFixed(1),
    loads.reduce((sum, { errors }) => sum + errors, 0),
  ]
  return `| ${cells.join(' | ')} |`
}

await using plain = await LocalCluster.start()
await using encrypted = await LocalCluster.start({ isEncrypted: true })
const clusters = [plain, encrypted] as const
const creates: [Load[], Load[]] = [[], []]
const reads: [Load[], Load[]] = [[], []]
for (const cluster of clusters) {
  await load(cluster, 'create.lua', ['warm'])
  await load(cluster, 'read.lua', ['warm', '1000'])
}
for (let round = 0; round < Number(values.rounds); round += 1) {
  // Each of the two begins every other round.
  for (const index of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
    const prefix = `round${round}`
    const created = await load(clusters[index], 'create.lua', [prefix])
    creates[index].push(created)
    // The last creates of a run may have had no answer.
    reads[index].push(
      await load(clusters[index], 'read.lua', [prefix, String(Math.floor(created.requests * 0.9))]),
    )
  }
}
console.log(
  `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; ${values.clients} clients, medians of ${values.rounds} rounds of ${values.seconds} s\n`,
)
console.log(
  '| load | per second | p50 ms | p99 ms | of the same, not encrypted | connector µs | each node µs | errors |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- |')
console.log(row('create', creates[0], creates[0]))
console.log(row('create, encrypted', creates[1], creates[0]))
console.log(row('read', reads[0], reads[0]))
console.log(row('read, encrypted', reads[1], reads[0]))
