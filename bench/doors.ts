/**
 * What locked doors cost: durable creates and linearizable reads per second of a cluster that encrypts
 * everything (mutual TLS between connector and nodes, HTTPS for clients) and asks for an API key, beside a
 * cluster that does neither, and two that encrypt one of the two. The rounds of all alternate in one run on
 * one machine. Needs `wrk`, which encrypts too, and uses the same cores: so the CPU time of each process is
 * shown, too.
 *
 *   npm run bench:doors -- [--clients 64] [--seconds 5] [--rounds 5]
 */
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Agent, request } from 'undici'
import { hashLineOf } from '../src/access/admin-keys.ts'
import { newToken } from '../src/access/key-token.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { temporaryDirectory } from '../test/cluster/temporary-directory.ts'
import { cpuTimeUs } from './cpu-time.ts'
import { median } from './statistics.ts'
import { runWrk, type WrkResult } from './wrk.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
  },
})

/** A cluster, how it is encrypted, and the key with which it is used. */
type Subject = Readonly<{ name: string; cluster: LocalCluster; key?: string }>

/** One run of wrk, with the CPU time of the connector and the mean of the nodes, in µs for each request. */
type Load = WrkResult & Readonly<{ connectorUs: number; nodeUs: number; clusterUs: number }>

async function load({ cluster, key }: Subject, script: string, args: readonly string[]): Promise<Load> {
  const [connector] = cluster.connectors
  const pids = [connector!, ...cluster.nodes].map(({ pid }) => pid!)
  const before = pids.map(cpuTimeUs)
  const { clients, seconds } = values
  const all = key === undefined ? args : [...args, key]
  const result = await runWrk(connector!.url, script, { clients, seconds, args: all })
  const [connectorUs, ...nodesUs] = pids.map(
    (pid, index) => (cpuTimeUs(pid) - before[index]!) / result.requests,
  )
  const allNodesUs = nodesUs.reduce((sum, us) => sum + us, 0)
  return {
    ...result,
    connectorUs: connectorUs!,
    nodeUs: allNodesUs / nodesUs.length,
    clusterUs: connectorUs! + allNodesUs,
  }
}

function row(name: string, loads: readonly Load[], open: readonly Load[]): string {
  const of = (pick: (load: Load) => number) => median(loads.map(pick))
  const ratio = (pick: (load: Load) => number) =>
    median(loads.map((one, index) => pick(one) / pick(open[index]!))).toFixed(2)
  const cells = [
    name,
    Math.round(of(({ perSecond }) => perSecond)),
    ratio(({ perSecond }) => perSecond),
    of(({ p50Ms }) => p50Ms).toFixed(2),
    of(({ p99Ms }) => p99Ms).toFixed(1),
    of(({ connectorUs }) => connectorUs).toFixed(1),
    of(({ nodeUs }) => nodeUs).toFixed(1),
    ratio(({ clusterUs }) => clusterUs),
    of(({ loadUs }) => loadUs).toFixed(1),
    loads.reduce((sum, { errors }) => sum + errors, 0),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Makes a key of the role `writer`, as `cohort key create` does. */
async function createKey(cluster: LocalCluster, admin: string): Promise<string> {
  const ca = await readFile(join(cluster.certificates, 'ca.crt'), 'utf8')
  const dispatcher = new Agent({ connect: { ca } })
  const { statusCode, body } = await request(`${cluster.connectors[0]!.url}/v1/key`, {
    method: 'POST',
    dispatcher,
    headers: { authorization: `Bearer ${admin}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', role: 'writer' }),
  })
  const text = await body.text()
  await dispatcher.close()
  if (statusCode !== 201) throw new Error(`the key was not made: ${statusCode} ${text}`)
  return (JSON.parse(text) as { token: string }).token
}

await using directory = await temporaryDirectory()
const admin = newToken(randomBytes)
const adminKeyFile = join(directory.path, 'admin.hash')
await writeFile(adminKeyFile, `${hashLineOf(admin)}\n`)
await using open = await LocalCluster.start()
await using locked = await LocalCluster.start({
  encrypted: ['api', 'nodes'],
  connectorArgs: ['--admin-key-file', adminKeyFile],
})
await using api = await LocalCluster.start({ encrypted: ['api'] })
await using nodes = await LocalCluster.start({ encrypted: ['nodes'] })
/** Each is compared with the first one. */
const subjects: readonly Subject[] = [
  { name: '', cluster: open },
  { name: ', TLS and key', cluster: locked, key: await createKey(locked, admin) },
  { name: ', HTTPS alone', cluster: api },
  { name: ', mutual TLS to the nodes alone', cluster: nodes },
]
const creates: readonly Load[][] = subjects.map(() => [])
const reads: readonly Load[][] = subjects.map(() => [])
for (const subject of subjects) {
  await load(subject, 'create.lua', ['warm'])
  await load(subject, 'read.lua', ['warm', '1000'])
}
const order = [...subjects.keys()]
for (let round = 0; round < Number(values.rounds); round += 1) {
  // The first and the last change places every other round.
  for (const index of round % 2 === 0 ? order : order.toReversed()) {
    const prefix = `round${round}`
    const created = await load(subjects[index]!, 'create.lua', [prefix])
    creates[index]!.push(created)
    // The last creates of a run may have had no answer.
    reads[index]!.push(
      await load(subjects[index]!, 'read.lua', [prefix, String(Math.floor(created.requests * 0.9))]),
    )
  }
}
console.log(
  `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; ${values.clients} clients, medians of ${values.rounds} rounds of ${values.seconds} s\n`,
)
console.log(
  '| load | per second | of the same, open | p50 ms | p99 ms | connector µs | each node µs | connector and nodes, of the same | wrk µs | errors |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |')
for (const [work, loads] of [
  ['create', creates],
  ['read', reads],
] as const)
  for (const [index, { name }] of subjects.entries())
    console.log(row(`${work}${name}`, loads[index]!, loads[0]!))
