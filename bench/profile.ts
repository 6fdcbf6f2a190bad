/**
 * Where the time of a connector and of a node goes: V8's sampling profiler in both, while 64 clients read
 * groups and then create some, and while one client lists all groups. Prints the shares of the causes in the
 * time in which a process does not rest. Needs `wrk`.
 *
 *   npm run bench:profile [-- --clients 64 --seconds 5]
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { LocalCluster } from '../test/cluster/local-cluster.ts'
import { type Program, THIS_PROGRAM } from '../test/cluster/service.ts'
import { runWrk } from './wrk.ts'

const { values } = parseArgs({
  options: { clients: { type: 'string', default: '64' }, seconds: { type: 'string', default: '5' } },
})

/** What `--cpu-prof` writes, as far as it is needed here. All times are of the monotonic clock, in µs. */
type Profile = Readonly<{
  nodes: readonly Readonly<{
    id: number
    callFrame: Readonly<{ functionName: string; url: string }>
    children?: readonly number[]
  }>[]
  startTime: number
  samples: readonly number[]
  timeDeltas: readonly number[]
}>

/** A time in which one load ran. */
type Span = Readonly<{ load: string; fromUs: number; toUs: number; requests: number }>

/** A cause has all files whose address has one of its texts; the first cause that fits counts. */
const CAUSES: readonly (readonly [cause: string, ...texts: string[]])[] = [
  ['gRPC (`@grpc/grpc-js`)', '/@grpc/'],
  ['our HTTP: hooks, admission, routes, replies (`src/http`)', '/src/http/', '/src/api/', '/src/access/'],
  ['the store with SQLite (`src/node/store`)', '/src/node/store/'],
  ['the codec and checksums (`src/rpc`, protobufjs)', '/src/rpc/', '/protobufjs/', '/@protobufjs/'],
  ['the rest of the node (`src/node`)', '/src/node/'],
  ['groups and their JSON (`src/group`, `src/engines`)', '/src/group/', '/src/engines/'],
  ['links and their batches (`src/replication/links`)', '/src/replication/links/'],
  [
    'the protocol and what drives it (`src/register`, `src/replication`)',
    '/src/register/',
    '/src/replication/',
  ],
  ['HTTP/2 of Node.js', 'node:internal/http2', 'node:http2'],
  ['Fastify, its router, and other packages', '/node_modules/'],
  ['the rest of the program', '/src/'],
  ['HTTP/1 of Node.js', 'node:_http', 'node:internal/http', 'node:http'],
  ['streams, sockets, events, timers and promises of Node.js', 'node:'],
]
const WRITES = 'writing to sockets (system calls)'
const WRITE_CALL = /^(writev|write(Utf8|Latin1|Ascii|Ucs2)String|writeBuffer)$/
const REST = 'code of V8 without a file'
const SPECIAL = new Map([
  ['(garbage collector)', 'garbage collection'],
  ['(program)', 'native code: reading sockets, HTTP parser, event loop, compilation'],
])

/** The time of each cause within a span, in µs. The time in which the process rests is left out. */
function causesOf({ nodes, startTime, samples, timeDeltas }: Profile, { fromUs, toUs }: Span) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  const parents = new Map(nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])))
  const causeOf = (id: number): string => {
    const { functionName, url } = byId.get(id)!.callFrame
    const special = SPECIAL.get(functionName)
    if (special !== undefined) return special
    if (url === '' && WRITE_CALL.test(functionName)) return WRITES
    const known =
      url === '' ? undefined : CAUSES.find(([, ...texts]) => texts.some((text) => url.includes(text)))
    if (known !== undefined) return known[0]
    // A function of V8 or of C++ works for who called it.
    const parent = parents.get(id)
    return parent === undefined ? REST : causeOf(parent)
  }
  const causes = new Map(nodes.map(({ id }) => [id, causeOf(id)]))
  const times = new Map<string, number>()
  let atUs = startTime
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index]!
    atUs += us
    if (atUs < fromUs || atUs > toUs || byId.get(id)!.callFrame.functionName === '(idle)') continue
    times.set(causes.get(id)!, (times.get(causes.get(id)!) ?? 0) + us)
  }
  return times
}

const nowUs = () => Number(process.hrtime.bigint() / 1_000n)

async function load(cluster: LocalCluster, name: string, script: string, args: string[]): Promise<Span> {
  const { clients, seconds } = values
  const fromUs = nowUs()
  const { requests, errors } = await runWrk(cluster.connectors[0]!.url, script, { clients, seconds, args })
  if (errors > 0) throw new Error(`${errors} requests of ${script} failed`)
  return { load: name, fromUs, toUs: nowUs(), requests }
}

/** One client walks through all groups, again and again. */
async function list(cluster: LocalCluster): Promise<Span> {
  const fromUs = nowUs()
  const untilUs = fromUs + 1e6 * Number(values.seconds)
  let requests = 0
  for (let after: string | undefined; nowUs() < untilUs; requests += 1) {
    const query = new URLSearchParams({ limit: '1000', ...(after === undefined ? {} : { after }) })
    const reply = await fetch(`${cluster.connectors[0]!.url}/v1/group?${query}`)
    if (!reply.ok) throw new Error(`a list was answered with ${reply.status}`)
    after = ((await reply.json()) as { after?: string }).after
  }
  return { load: 'list', fromUs, toUs: nowUs(), requests }
}

const directory = await mkdtemp(join(tmpdir(), 'cohort-profile-'))
const profiled = (name: string): Program => {
  const [node, ...args] = THIS_PROGRAM
  return [node, '--cpu-prof', `--cpu-prof-dir=${join(directory, name)}`, ...args]
}
const spans: Span[] = []
{
  await using cluster = await LocalCluster.start({
    connectorProgram: profiled('connector'),
    nodeProgram: profiled('node'),
  })
  const { requests } = await load(cluster, 'warm', 'create.lua', ['warm'])
  const ofWarm = ['warm', String(requests)]
  await load(cluster, 'warm', 'read.lua', ofWarm)
  spans.push(await load(cluster, 'read', 'read.lua', ofWarm))
  spans.push(await load(cluster, 'create', 'create.lua', ['profiled']))
  await list(cluster)
  spans.push(await list(cluster))
  // A process writes its profile when it ends by itself.
  for (const service of [...cluster.connectors, ...cluster.nodes]) await service.end('SIGTERM')
}
const columns: { name: string; times: Map<string, number> }[] = []
for (const name of ['connector', 'node']) {
  const [file] = await readdir(join(directory, name))
  const profile = JSON.parse(await readFile(join(directory, name, file!), 'utf8')) as Profile
  for (const span of spans) columns.push({ name: `${name}, ${span.load}`, times: causesOf(profile, span) })
}
await rm(directory, { recursive: true })
const totals = columns.map(({ times }) => [...times.values()].reduce((sum, us) => sum + us, 0))
const causes = [...new Set(columns.flatMap(({ times }) => [...times.keys()]))]
const rows = causes
  .map(
    (cause) =>
      [cause, columns.map(({ times }, index) => (100 * (times.get(cause) ?? 0)) / totals[index]!)] as const,
  )
  .toSorted(([, a], [, b]) => Math.max(...b) - Math.max(...a))
console.log(`| % of the time | ${columns.map(({ name }) => name).join(' | ')} |`)
console.log(`| --- |${' --- |'.repeat(columns.length)}`)
for (const [cause, shares] of rows)
  console.log(`| ${cause} | ${shares.map((share) => share.toFixed(1)).join(' | ')} |`)
