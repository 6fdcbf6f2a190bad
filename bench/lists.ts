/**
 * Walks through all groups beside another version, in one run on one machine: `GET /v1/group` and
 * `GET /v1/backup` in pages of 1,000, in alternating turns. Prints groups per second and CPU time per group,
 * as medians over the rounds, and the ratios of both versions. The other version is in a folder of its own,
 * installed (`git worktree add DIR COMMIT && (cd DIR && npm ci)`). Without `--other`, this version alone.
 *
 *   npm run bench:lists -- [--other DIR] [--groups 300000] [--rounds 3] [--fill-seconds 240]
 */
import { cpus, loadavg } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { fillGroups } from './fill.ts'
import { median } from './statistics.ts'

const { values } = parseArgs({
  options: {
    other: { type: 'string' },
    groups: { type: 'string', default: '300000' },
    rounds: { type: 'string', default: '3' },
    'fill-seconds': { type: 'string', default: '240' },
  },
})
const groupCount = Number(values.groups)

type Cluster = Pick<LocalCluster, 'connectors' | 'nodes'> & AsyncDisposable

/** A turn of one version. CPU times are of the connector, and of all nodes together, per group. */
type Turn = Readonly<{ perSecond: number; connectorUs: number; nodesUs: number }>

async function walk({ connectors, nodes }: Cluster, path: string): Promise<Turn & { count: number }> {
  const pids = [connectors[0]!, ...nodes].map(({ pid }) => pid!)
  const before = pids.map(cpuTimeUs)
  const pool = new Pool(connectors[0]!.url, { connections: 1 })
  const startMs = performance.now()
  let count = 0
  for (let after: string | undefined, isFirst = true; isFirst || after !== undefined; isFirst = false) {
    const query = new URLSearchParams({ limit: '1000', ...(after === undefined ? {} : { after }) })
    const reply = await pool.request({ method: 'GET', path: `${path}?${query}` })
    const page = (await reply.body.json()) as { groups: unknown[]; after?: string }
    if (reply.statusCode !== 200) throw new Error(`${path} was answered with ${reply.statusCode}`)
    count += page.groups.length
    after = page.after
  }
  const seconds = (performance.now() - startMs) / 1_000
  await pool.close()
  const [connectorUs, ...nodesUs] = pids.map((pid, index) => (cpuTimeUs(pid) - before[index]!) / count)
  const sumUs = nodesUs.reduce((sum, us) => sum + us, 0)
  return { count, perSecond: count / seconds, connectorUs: connectorUs!, nodesUs: sumUs }
}

async function start(folder: string | undefined): Promise<Cluster> {
  if (folder === undefined) return LocalCluster.start()
  const path = pathToFileURL(join(resolve(folder), 'test/cluster/local-cluster.ts')).href
  const { LocalCluster: Other } = (await import(path)) as { LocalCluster: typeof LocalCluster }
  return Other.start()
}

const sides = [
  { name: 'this version', folder: undefined },
  ...(values.other === undefined ? [] : [{ name: values.other, folder: values.other }]),
]
await using all = new AsyncDisposableStack()
const versions: { name: string; cluster: Cluster; turns: Map<string, Turn[]> }[] = []
console.log(`${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}`)
for (const { name, folder } of sides) {
  const cluster = all.use(await start(folder))
  const startMs = performance.now()
  const count = await fillGroups(cluster.connectors[0]!.url, groupCount, Number(values['fill-seconds']))
  const seconds = (performance.now() - startMs) / 1_000
  console.log(`${name}: ${count} groups created in ${seconds.toFixed(0)} s`)
  versions.push({ name, cluster, turns: new Map() })
}
for (const path of ['/v1/group', '/v1/backup']) {
  // The first walk brings the records into memory.
  for (const { cluster } of versions) await walk(cluster, path)
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const { cluster, turns } of round % 2 === 0 ? versions : versions.toReversed()) {
      const known = turns.get(path) ?? []
      turns.set(path, [...known, await walk(cluster, path)])
    }
  }
}
console.log(`load ${loadavg()[0]!.toFixed(1)}\n`)
console.log('| walk | version | groups/s | CPU of the connector, µs/group | of all nodes, µs/group | ratio |')
console.log('| --- | --- | --- | --- | --- | --- |')
for (const path of ['/v1/group', '/v1/backup']) {
  const ours = versions[0]!.turns.get(path)!
  for (const { name, turns } of versions) {
    const mine = turns.get(path)!
    const ratios = ours.map((turn, index) => turn.perSecond / mine[index]!.perSecond)
    const cells = [
      path,
      name,
      median(mine.map(({ perSecond }) => perSecond)).toFixed(0),
      median(mine.map(({ connectorUs }) => connectorUs)).toFixed(1),
      median(mine.map(({ nodesUs }) => nodesUs)).toFixed(1),
      median(ratios).toFixed(2),
    ]
    console.log(`| ${cells.join(' | ')} |`)
  }
}
