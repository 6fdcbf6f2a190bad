/**
 * Durable creates and linearizable reads per second through one connector and three nodes, as shares of what
 * an empty Fastify handler answers, and beside what the parts alone reach, all in one run on one machine.
 * Needs `wrk`.
 *
 *   npm run bench -- [--clients 64] [--seconds 5] [--rounds 5] [--port 18900, and the next five]
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { statusOf } from '../test/cluster/cluster-status.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { until } from '../test/cluster/waiting.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { median } from './statistics.ts'
import { runWrk, type WrkResult } from './wrk.ts'

/**
 * One run of wrk. CPU times are per request, in µs: of the process that answers HTTP, and the mean of the
 * nodes.
 */
type Load = WrkResult & Readonly<{ serverUs: number; nodeUs: number }>

/** What is loaded: a server, and the nodes that it uses. */
type Target = Readonly<{ url: string; pid: number; nodePids: readonly number[] }>

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    port: { type: 'string', default: '18900' },
  },
})

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function wrk(target: Target, script: string, args: readonly string[]): Promise<Load> {
  const { clients, seconds } = values
  const before = [target.pid, ...target.nodePids].map(cpuTimeUs)
  const result = await runWrk(target.url, script, { clients, seconds, args })
  const [serverUs, ...nodesUs] = [target.pid, ...target.nodePids].map((pid, i) => cpuTimeUs(pid) - before[i]!)
  return {
    ...result,
    serverUs: serverUs! / result.requests,
    nodeUs: nodesUs.reduce((sum, us) => sum + us, 0) / Math.max(1, nodesUs.length) / result.requests,
  }
}

/** The number of groups of a run that were certainly created, and can be read. */
function mostOf({ requests }: Load): string {
  return String(Math.floor(requests * 0.9))
}

/**
 * `ceilings`: the GET of the empty handler; `sameRequests`: the same requests to the connector's app with a
 * registry that does nothing.
 */
function row(
  name: string,
  loads: readonly Load[],
  ceilings: readonly Load[],
  sameRequests: readonly Load[],
): string {
  const ratio = (to: readonly Load[]) =>
    median(loads.map(({ perSecond }, index) => perSecond / to[index]!.perSecond)).toFixed(2)
  const of = (pick: (load: Load) => number) => median(loads.map(pick))
  const nodeUs = of((load) => load.nodeUs)
  const cells = [
    name,
    Math.round(of((load) => load.perSecond)),
    of((load) => load.p50Ms).toFixed(2),
    of((load) => load.p99Ms).toFixed(1),
    ratio(ceilings),
    ratio(sameRequests),
    of((load) => load.serverUs).toFixed(1),
    nodeUs === 0 ? '' : nodeUs.toFixed(1),
    loads.reduce((sum, load) => sum + load.errors, 0),
  ]
  return `| ${cells.join(' | ')} |`
}

type Started = Target & Readonly<{ children: readonly ChildProcess[] }>

function run(file: string, ...args: readonly (string | number)[]): ChildProcess {
  return spawn(process.execPath, [here(file), ...args.map(String)], { stdio: 'inherit' })
}

/** Starts one of the servers beside this file, and waits until it answers. */
async function start(file: string, port: number): Promise<Started> {
  return answering(run(file, port), port, [])
}

/** Starts `bare-parts.ts`: an API, and three nodes at the next ports. */
async function startParts(port: number, directory: string): Promise<Started> {
  const nodePorts = [1, 2, 3].map((i) => port + i)
  const nodes = nodePorts.map((nodePort) =>
    run('bare-parts.ts', 'node', nodePort, mkdtempSync(join(directory, 'node-'))),
  )
  return answering(run('bare-parts.ts', 'api', port, ...nodePorts), port, nodes)
}

async function answering(
  server: ChildProcess,
  port: number,
  nodes: readonly ChildProcess[],
): Promise<Started> {
  const url = `http://127.0.0.1:${port}`
  await until(`${url} answers`, 10_000, async () => (await statusOf(`${url}/v1/group/x`)) === 200)
  return { url, pid: server.pid!, nodePids: nodes.map(({ pid }) => pid!), children: [server, ...nodes] }
}

await using cluster = await LocalCluster.start()
const [connector] = cluster.connectors
const cohort: Target = {
  url: connector!.url,
  pid: connector!.pid!,
  nodePids: cluster.nodes.map(({ pid }) => pid!),
}
const empty = await start('empty-app.ts', Number(values.port))
const bare = await start('bare-connector.ts', Number(values.port) + 1)
const directory = mkdtempSync(join(tmpdir(), 'cohort-bench-'))
const parts = await startParts(Number(values.port) + 2, directory)
try {
  const ceiling: Load[] = []
  const emptyPost: Load[] = []
  const barePost: Load[] = []
  const bareGet: Load[] = []
  const partsPost: Load[] = []
  const partsGet: Load[] = []
  const create: Load[] = []
  const read: Load[] = []
  await wrk(cohort, 'create.lua', ['warm'])
  await wrk(cohort, 'read.lua', ['warm', '1000'])
  for (const target of [empty, bare, parts]) await wrk(target, 'create.lua', ['warm'])
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const prefix = `round${round}`
    ceiling.push(await wrk(empty, 'read.lua', [prefix, '1000']))
    emptyPost.push(await wrk(empty, 'create.lua', [prefix]))
    barePost.push(await wrk(bare, 'create.lua', [prefix]))
    const written = await wrk(parts, 'create.lua', [prefix])
    partsPost.push(written)
    const created = await wrk(cohort, 'create.lua', [prefix])
    create.push(created)
    bareGet.push(await wrk(bare, 'read.lua', [prefix, '1000']))
    partsGet.push(await wrk(parts, 'read.lua', [prefix, mostOf(written)]))
    read.push(await wrk(cohort, 'read.lua', [prefix, mostOf(created)]))
  }
  console.log(
    `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; ${values.clients} clients, medians of ${values.rounds} rounds of ${values.seconds} s\n`,
  )
  console.log(
    '| load | per second | p50 ms | p99 ms | of the ceiling | of the same request, nothing behind | server µs | each node µs | errors |',
  )
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
  console.log(row('empty handler, GET (the ceiling)', ceiling, ceiling, bareGet))
  console.log(row('empty handler, POST', emptyPost, ceiling, barePost))
  console.log(row("the connector's app, nothing behind it, POST", barePost, ceiling, barePost))
  console.log(row("the connector's app, nothing behind it, GET", bareGet, ceiling, bareGet))
  console.log(row('the parts alone, POST', partsPost, ceiling, barePost))
  console.log(row('the parts alone, GET', partsGet, ceiling, bareGet))
  console.log(row('durable create', create, ceiling, barePost))
  console.log(row('linearizable read', read, ceiling, bareGet))
} finally {
  for (const child of [empty, bare, parts].flatMap(({ children }) => children)) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
}
