/**
 * What a cluster with many groups makes, beside one with few: durable creates and linearizable reads of 64
 * clients, in alternating turns in one run. It also prints the memory of each process. Needs `wrk`.
 *
 *   npm run bench:size -- [--groups 1000000] [--few 10000] [--clients 64] [--seconds 3] [--rounds 5]
 *                         [--fill-seconds 400]
 */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { fillGroups } from './fill.ts'
import { residentMb } from './resident-memory.ts'
import { formatRatio, median, ratioOf } from './statistics.ts'
import { runWrk } from './wrk.ts'

const { values } = parseArgs({
  options: {
    groups: { type: 'string', default: '1000000' },
    few: { type: 'string', default: '10000' },
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '5' },
    'fill-seconds': { type: 'string', default: '400' },
  },
})
const READABLE_MAX = 1_000

await using many = await LocalCluster.start()
await using few = await LocalCluster.start()
const sides = [
  {
    cluster: many,
    wanted: Number(values.groups),
    readable: 0,
    creates: [] as number[],
    reads: [] as number[],
  },
  { cluster: few, wanted: Number(values.few), readable: 0, creates: [] as number[], reads: [] as number[] },
]
console.log(`${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}`)

async function load({ connectors }: LocalCluster, script: string, args: readonly string[]) {
  const { clients, seconds } = values
  const result = await runWrk(connectors[0]!.url, script, { clients, seconds, args })
  if (result.errors > 0) throw new Error(`${result.errors} requests of ${script} failed`)
  return result
}

for (const side of sides) {
  const { cluster, wanted } = side
  const { url } = cluster.connectors[0]!
  const startMs = performance.now()
  const count = await fillGroups(url, wanted, Number(values['fill-seconds']))
  const seconds = (performance.now() - startMs) / 1_000
  const [connector, ...nodes] = [...cluster.connectors, ...cluster.nodes].map(({ pid }) => residentMb(pid!))
  console.log(
    `${count} groups in ${seconds.toFixed(0)} s; memory: connector ${connector} MB, nodes ${nodes.join(', ')} MB`,
  )
  const warm = await load(cluster, 'create.lua', ['warm'])
  side.readable = Math.min(warm.requests, READABLE_MAX)
}
for (let round = 0; round < Number(values.rounds); round += 1) {
  const order = round % 2 === 0 ? sides : sides.toReversed()
  for (const { cluster, creates } of order)
    creates.push((await load(cluster, 'create.lua', [`round${round}`])).perSecond)
  for (const { cluster, readable, reads } of order)
    reads.push((await load(cluster, 'read.lua', ['warm', String(readable)])).perSecond)
}
console.log(`load ${loadavg()[0]!.toFixed(1)}\n`)
console.log('| work | with many groups, per second | with few | many to few |')
console.log('| --- | --- | --- | --- |')
for (const work of ['creates', 'reads'] as const) {
  const [ours, theirs] = [sides[0]![work], sides[1]![work]]
  const rates = [median(ours), median(theirs)].map((rate) => rate.toFixed(0))
  console.log(`| ${[work, ...rates, formatRatio(ratioOf(ours, theirs))].join(' | ')} |`)
}
