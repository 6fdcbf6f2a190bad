/**
 * Creates per second over HTTP with each engine, beside what pgbench inserts into the same servers, in rounds
 * that alternate. All commits reach the disk. Needs `wrk` and `pgbench`. With 3 rounds of 5 s it takes about
 * 2.5 minutes.
 *
 *   node bench/engines.ts [--clients 64] [--seconds 5] [--rounds 3]
 */
import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'
import { cohort as runCommand } from '../test/cluster/command.ts'
import { LocalCluster, untilReady } from '../test/cluster/local-cluster.ts'
import { freePorts } from '../test/cluster/ports.ts'
import { Service } from '../test/cluster/service.ts'
import { temporaryDirectory } from '../test/cluster/temporary-directory.ts'
import { SUPERUSER } from '../test/postgres/server.ts'
import { Trio } from '../test/postgres/trio.ts'
import { cpuTimeUs, cpuTimeWithChildrenUs } from './cpu-time.ts'
import { median } from './statistics.ts'
import { runWrk } from './wrk.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
})

/** With few sessions and with one for each client: what is compared is the better of the two. */
const SESSIONS = ['16', values.clients]
/** An insert like that of a create, from a prepared statement. */
const INSERT = `insert into bench (key, value, generation, write_ids, updated_at, life, changed_xid)
  values ('group/' || gen_random_uuid(), convert_to(repeat('x', 130), 'UTF8'), 1, array['w'], clock_timestamp(), nextval('cohort.lives'), pg_current_xact_id());`

await using directory = await temporaryDirectory()
await using trio = await Trio.start()
for (const server of trio.servers) {
  await server.configure(['fsync = on', 'full_page_writes = on'])
  process.kill(server.pid, 'SIGHUP')
}
await trio.createDatabase('bench')
await runCommand('postgres', 'init', '--database', trio.url('bench'))
await trio.primary.query('create table bench (like cohort.register including all)', [], 'bench')
const script = join(directory.path, 'insert.sql')
await writeFile(script, `${INSERT}\n`)

const [port] = await freePorts(1)
const flags = ['--engine', 'postgres', '--database', trio.url('bench'), '--port', String(port)]
await using onPostgres = new Service('connector', port!, ['connector', ...flags])
await onPostgres.restart()
await untilReady(onPostgres)
await using cluster = await LocalCluster.start()

type Run = Readonly<{ perSecond: number; count: number }>

async function pgbench(sessions: string): Promise<Run> {
  // On a busy machine the start of many sessions takes seconds, which count.
  const seconds = Number(values.seconds) + Math.ceil(Number(sessions) / 4)
  const { stdout } = await promisify(execFile)(
    'pgbench',
    [
      ...['-n', '-M', 'prepared', '-c', sessions, '-j', '1', '-T', String(seconds), '-f', script],
      ...['-h', '127.0.0.1', '-p', String(trio.primary.port), '-U', SUPERUSER, 'bench'],
    ],
    { env: { ...process.env, PGOPTIONS: '-c synchronous_commit=remote_apply' } },
  )
  const count = Number(/actually processed: (\d+)/.exec(stdout)?.[1])
  // On a busy machine it may not have connected in time: then it prints no rate.
  return { perSecond: Number(/^tps = ([\d.]+)/m.exec(stdout)?.[1] ?? 0), count }
}

async function creates(url: string, prefix: string): Promise<Run> {
  const { perSecond, requests, errors } = await runWrk(url, 'create.lua', { ...values, args: [prefix] })
  if (errors > 0) console.log(`${prefix}: ${errors} errors`)
  return { perSecond, count: requests }
}

/** The CPU time of the servers, and of the connector, for each row that a run has made. */
async function withCpu(run: () => Promise<Run>): Promise<Run & Readonly<{ cpu: string }>> {
  const servers = () =>
    trio.servers.map(({ pid }) => cpuTimeWithChildrenUs(pid)).reduce((sum, us) => sum + us)
  const before = [servers(), cpuTimeUs(onPostgres.pid!)] as const
  const result = await run()
  const [serversUs, connectorUs] = [servers() - before[0], cpuTimeUs(onPostgres.pid!) - before[1]]
  const each = [serversUs, connectorUs].map((us) => Math.round(us / Math.max(1, result.count)))
  return { ...result, cpu: `${each[0]} + ${each[1]}` }
}

console.log(`creates over HTTP with ${values.clients} clients, and inserts of pgbench, a second`)
console.log('CPU: µs for each row, of the three servers + of the connector')
const [FEW, MANY] = SESSIONS.map((sessions) => `pgbench -c ${sessions}`)
const COLUMNS = ['round', 'cohort', 'postgres', FEW, MANY, 'postgres / better pgbench']
const CPU_COLUMNS = ['CPU postgres', `CPU ${FEW}`, `CPU ${MANY}`]
console.log(`| ${[...COLUMNS, ...CPU_COLUMNS].join(' | ')} |`)
console.log(`|${' --- |'.repeat(COLUMNS.length + CPU_COLUMNS.length)}`)
const figures: number[][] = []
// The first seconds of a connector compile its code.
for (const url of [cluster.connectors[0]!.url, onPostgres.url]) await creates(url, 'warm')
for (let round = 1; round <= Number(values.rounds); round += 1) {
  const cohort = await creates(cluster.connectors[0]!.url, `c${round}`)
  const postgres = await withCpu(() => creates(onPostgres.url, `p${round}`))
  const few = await withCpu(() => pgbench(SESSIONS[0]!))
  const many = await withCpu(() => pgbench(SESSIONS[1]!))
  const share = postgres.perSecond / Math.max(few.perSecond, many.perSecond)
  const rates = [cohort, postgres, few, many].map((run) => Math.round(run.perSecond))
  figures.push([...rates, share])
  const cells = [round, ...rates, share.toFixed(2), postgres.cpu, few.cpu, many.cpu]
  console.log(`| ${cells.join(' | ')} |`)
}
const medians = figures[0]!.map((_, column) => median(figures.map((row) => row[column]!)))
const share = medians.pop()!
console.log(`| median | ${[...medians, share.toFixed(2)].join(' | ')} | | | |`)
