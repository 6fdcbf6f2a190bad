/**
 * This version beside another one, in one run on one machine: creates, reads and lists per second, and the
 * CPU time of each, in alternating turns. Prints the ratios of the two, as medians over the rounds. Needs
 * `wrk`, and the other version in a folder of its own, installed
 * (`git worktree add DIR TAG && (cd DIR && npm ci)`).
 *
 *   npm run bench:versions -- --other DIR [--clients 64] [--seconds 4] [--rounds 5] [--groups 20000]
 */
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { formatRatio, median, ratioOf } from './statistics.ts'
import { runWrk } from './wrk.ts'

const { values } = parseArgs({
  options: {
    other: { type: 'string' },
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    groups: { type: 'string', default: '20000' },
  },
})
if (values.other === undefined) throw new Error('--other must name the folder of the other version')

/**
 * What one turn has measured. CPU times are of the connector, and of the mean node, per request or per group.
 */
type Turn = Readonly<{ perSecond: number; p99Ms: number; connectorUs: number; nodeUs: number }>

type Cluster = Pick<LocalCluster, 'connectors' | 'nodes'> & AsyncDisposable

const PAGE = 1_000

async function measured(
  { connectors, nodes }: Cluster,
  work: () => Promise<Readonly<{ count: number; seconds: number; p99Ms: number }>>,
): Promise<Turn> {
  const pids = [connectors[0]!, ...nodes].map(({ pid }) => pid!)
  const before = pids.map(cpuTimeUs)
  const { count, seconds, p99Ms } = await work()
  const [connectorUs, ...nodesUs] = pids.map((pid, index) => (cpuTimeUs(pid) - before[index]!) / count)
  const nodeUs = nodesUs.reduce((sum, us) => sum + us, 0) / nodesUs.length
  return { perSecond: count / seconds, p99Ms, connectorUs: connectorUs!, nodeUs }
}

function wrk(cluster: Cluster, script: string, args: readonly string[]): Promise<Turn> {
  const { clients, seconds } = values
  return measured(cluster, async () => {
    const result = await runWrk(cluster.connectors[0]!.url, script, { clients, seconds, args })
    const { requests, perSecond, p99Ms, errors } = result
    if (errors > 0) throw new Error(`${errors} requests of ${script} failed`)
    return { count: requests, seconds: requests / perSecond, p99Ms }
  })
}

/** One client walks through so many groups, page by page. */
function list(cluster: Cluster): Promise<Turn> {
  return measured(cluster, async () => {
    const startMs = performance.now()
    const pagesMs: number[] = []
    let count = 0
    for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
      const pageStartMs = performance.now()
      const query = new URLSearchParams({ limit: String(PAGE), ...(after === undefined ? {} : { after }) })
      const response = await fetch(`${cluster.connectors[0]!.url}/v1/group?${query}`)
      if (response.status !== 200) throw new Error(`a list was answered with ${response.status}`)
      const page = (await response.json()) as { groups: unknown[]; after?: string }
      pagesMs.push(performance.now() - pageStartMs)
      count += page.groups.length
      after = count >= Number(values.groups) ? undefined : page.after
    }
    const p99Ms = pagesMs.toSorted((a, b) => a - b)[Math.floor(pagesMs.length * 0.99)]!
    return { count, seconds: (performance.now() - startMs) / 1_000, p99Ms }
  })
}

/** The ratio of two sides, and its lowest and highest round. */
const ratio = (ours: readonly Turn[], theirs: readonly Turn[], pick: (turn: Turn) => number) =>
  formatRatio(ratioOf(ours.map(pick), theirs.map(pick)))

const other = pathToFileURL(join(resolve(values.other), 'test/cluster/local-cluster.ts')).href
const { LocalCluster: OtherCluster } = (await import(other)) as { LocalCluster: typeof LocalCluster }

await using ours = await LocalCluster.start()
await using theirs = await OtherCluster.start()
const turns = {
  creates: { ours: [] as Turn[], theirs: [] as Turn[] },
  reads: { ours: [] as Turn[], theirs: [] as Turn[] },
  lists: { ours: [] as Turn[], theirs: [] as Turn[] },
}
const both = [
  ['ours', ours],
  ['theirs', theirs],
] as const
for (const [, cluster] of both) {
  await wrk(cluster, 'create.lua', ['warm'])
  await wrk(cluster, 'read.lua', ['warm', '1000'])
}
for (let round = 0; round < Number(values.rounds); round += 1) {
  // The first version of a round may slow down the second one, so they take turns.
  const order = round % 2 === 0 ? both : both.toReversed()
  for (const [side, cluster] of order) {
    turns.creates[side].push(await wrk(cluster, 'create.lua', [`round${round}`]))
  }
  for (const [side, cluster] of order)
    turns.reads[side].push(await wrk(cluster, 'read.lua', ['warm', '1000']))
  for (const [side, cluster] of order) turns.lists[side].push(await list(cluster))
}
console.log(
  `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; ${values.clients} clients, ` +
    `${values.rounds} rounds of ${values.seconds} s; this version to the one in ${values.other}\n`,
)
console.log('| work | this version, per second | ratio | of p99 | of CPU, connector | of CPU, each node |')
console.log('| --- | --- | --- | --- | --- | --- |')
for (const [name, sides] of Object.entries(turns)) {
  const cells = [
    name,
    Math.round(median(sides.ours.map(({ perSecond }) => perSecond))),
    ratio(sides.ours, sides.theirs, (turn) => turn.perSecond),
    ratio(sides.ours, sides.theirs, (turn) => turn.p99Ms),
    ratio(sides.ours, sides.theirs, (turn) => turn.connectorUs),
    ratio(sides.ours, sides.theirs, (turn) => turn.nodeUs),
  ]
  console.log(`| ${cells.join(' | ')} |`)
}
