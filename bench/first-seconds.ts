/**
 * What a cluster makes in the first seconds after a restart, beside what it makes later: durable creates of
 * 64 clients from the moment when the connector is ready. Every process of the cluster is started anew for
 * each round. Needs `wrk`.
 *
 *   npm run bench:first -- [--clients 64] [--rounds 3] [--first 6] [--after 54] [--node-option FLAG …]
 *
 * `--first` is how many seconds are measured at both moments, and `--after` how many lie between them, under
 * load. `--node-option` is for Node in every process of the cluster, for trying such options.
 */
import { cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { LocalCluster, untilReady } from '../test/cluster/local-cluster.ts'
import { THIS_PROGRAM } from '../test/cluster/service.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { formatRatio, ratioOf } from './statistics.ts'
import { runWrk } from './wrk.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '3' },
    first: { type: 'string', default: '6' },
    after: { type: 'string', default: '54' },
    'node-option': { type: 'string', multiple: true, default: [] },
  },
})
const [command, ...args] = THIS_PROGRAM
const program = [command, ...values['node-option'], ...args] as const

await using cluster = await LocalCluster.start({ nodeProgram: program, connectorProgram: program })
const [connector] = cluster.connectors

let runCount = 0
async function load(seconds: number | string) {
  const before = cpuTimeUs(connector!.pid!)
  runCount += 1
  const name = `first-${process.pid}-${runCount}`
  const { clients } = values
  const result = await runWrk(connector!.url, 'create.lua', { clients, seconds, args: [name] })
  if (result.errors > 0) throw new Error(`${result.errors} of ${result.requests} creates failed`)
  return { ...result, connectorUs: (cpuTimeUs(connector!.pid!) - before) / result.requests }
}

console.log(`${cpus().length} cores (${cpus()[0]?.model}), load average ${loadavg()[0]?.toFixed(1)}\n`)
console.log(
  '| round | first second/s | first seconds/s | later/s | first to later | connector µs, first | later |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- |')
const firsts: number[] = []
const laters: number[] = []
for (let round = 1; round <= Number(values.rounds); round += 1) {
  await Promise.all(cluster.services.map((service) => service.end('SIGTERM')))
  for (const service of cluster.services) service.start()
  await untilReady(connector!)
  const second = await load(1)
  const rest = await load(Number(values.first) - 1)
  await load(values.after)
  const later = await load(values.first)
  const requests = second.requests + rest.requests
  const perSecond = (second.perSecond + rest.perSecond * (Number(values.first) - 1)) / Number(values.first)
  const us = (second.connectorUs * second.requests + rest.connectorUs * rest.requests) / requests
  firsts.push(perSecond)
  laters.push(later.perSecond)
  const ratio = perSecond / later.perSecond
  const rates = [second.perSecond, perSecond, later.perSecond].map(Math.round)
  const cells = [round, ...rates, ratio.toFixed(2), us.toFixed(1), later.connectorUs.toFixed(1)]
  console.log(`| ${cells.join(' | ')} |`)
}
console.log(`\nfirst to later: ${formatRatio(ratioOf(firsts, laters))}`)
