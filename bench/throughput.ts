/**
 * Durable creates and linearizable reads per second through one connector and three nodes, as shares of what an empty
 * Fastify handler answers, all in one run on one machine. Needs `wrk`.
 *
 *   npm run bench -- [--clients 64] [--seconds 5] [--rounds 5]
 */
import { execFile, spawn } from 'node:child_process'
import { cpus } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'
import { LocalCluster, statusOf, until } from '../test/cluster/local-cluster.ts'

type Load = Readonly<{ perSecond: number; p50Ms: number; p99Ms: number; requests: number; errors: number }>

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '5' },
    'empty-port': { type: 'string', default: '18900' },
  },
})

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url))

async function wrk(url: string, script: string, args: readonly string[]): Promise<Load> {
  const options = [
    '-t1',
    `-c${values.clients}`,
    `-d${values.seconds}s`,
    '--timeout',
    '10s',
    '-s',
    here(script),
    url,
  ]
  const { stdout } = await promisify(execFile)('wrk', [...options, '--', ...args])
  const result = /^RESULT (\d+) (\d+) (\d+) (\d+) (\d+)$/m.exec(stdout)
  if (result === null) throw new Error(`wrk said nothing of its result:\n${stdout}`)
  const [requests, durationUs, p50Us, p99Us, errors] = result.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
  ]
  return {
    perSecond: requests / (durationUs / 1e6),
    p50Ms: p50Us / 1e3,
    p99Ms: p99Us / 1e3,
    requests,
    errors,
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN
}

function row(name: string, loads: readonly Load[], ceilings: readonly Load[]): string {
  const ratio = median(loads.map(({ perSecond }, index) => perSecond / ceilings[index]!.perSecond))
  const of = (pick: (load: Load) => number) => median(loads.map(pick))
  const errors = loads.reduce((sum, load) => sum + load.errors, 0)
  const cells = [
    name,
    Math.round(of((load) => load.perSecond)),
    of((load) => load.p50Ms).toFixed(2),
    of((load) => load.p99Ms).toFixed(1),
    ratio.toFixed(2),
    errors,
  ]
  return `| ${cells.join(' | ')} |`
}

await using cluster = await LocalCluster.start()
const emptyUrl = `http://127.0.0.1:${values['empty-port']}`
const empty = spawn(process.execPath, [here('empty-app.ts'), values['empty-port']], { stdio: 'inherit' })
try {
  await until('the empty app answers', 5_000, async () => (await statusOf(`${emptyUrl}/v1/group/x`)) === 200)
  const url = cluster.connectors[0]!.url
  const loads: { ceiling: Load[]; emptyCreate: Load[]; create: Load[]; read: Load[] } = {
    ceiling: [],
    emptyCreate: [],
    create: [],
    read: [],
  }
  await wrk(url, 'create.lua', ['warm'])
  await wrk(emptyUrl, 'read.lua', ['warm', '1000'])
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const prefix = `round${round}`
    loads.ceiling.push(await wrk(emptyUrl, 'read.lua', [prefix, '1000']))
    loads.emptyCreate.push(await wrk(emptyUrl, 'create.lua', [prefix]))
    const created = await wrk(url, 'create.lua', [prefix])
    loads.create.push(created)
    loads.read.push(await wrk(url, 'read.lua', [prefix, String(Math.floor(created.requests * 0.9))]))
  }
  console.log(
    `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}; ${values.clients} clients, medians of ${values.rounds} rounds of ${values.seconds} s\n`,
  )
  console.log('| load | per second | p50 ms | p99 ms | of the ceiling | errors |')
  console.log('| --- | --- | --- | --- | --- | --- |')
  console.log(row('empty handler, GET (the ceiling)', loads.ceiling, loads.ceiling))
  console.log(row('empty handler, POST', loads.emptyCreate, loads.ceiling))
  console.log(row('durable create', loads.create, loads.ceiling))
  console.log(row('linearizable read', loads.read, loads.ceiling))
} finally {
  empty.kill()
}
