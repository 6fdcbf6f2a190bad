/**
 * What clients see of a node that stops (SIGSTOP), dies (SIGKILL) and returns, under a load of creates:
 * failed requests, and the longest time between two successes.
 *
 *   npm run bench:outage -- [--clients 64] [--seconds 5] [--rounds 3]
 */
import { cpus } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { CreateLoad } from '../test/cluster/load.ts'
import { LocalCluster } from '../test/cluster/local-cluster.ts'

const { values } = parseArgs({
  options: {
    clients: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
  },
})

type Row = Readonly<{ what: string; successes: number; failures: number; longestGapMs: number }>

/** Watches the load for some seconds, starting with `event`. */
async function watch(what: string, load: CreateLoad, event: () => void): Promise<Row> {
  const from = load.successTimesMs.length
  const failedBefore = load.failed.length
  const startMs = performance.now()
  event()
  await sleep(Number(values.seconds) * 1_000)
  const times = [startMs, ...load.successTimesMs.slice(from)]
  const gaps = times.slice(1).map((time, index) => time - times[index]!)
  const longestGapMs = gaps.reduce((longest, gap) => Math.max(longest, gap), 0)
  return { what, successes: gaps.length, failures: load.failed.length - failedBefore, longestGapMs }
}

const rows: Row[] = []
for (let round = 0; round < Number(values.rounds); round += 1) {
  await using cluster = await LocalCluster.start()
  const load = new CreateLoad(cluster.connectors[0]!.url, `outage${round}`, Number(values.clients), 0)
  const [, stopped, killed] = cluster.nodes
  await sleep(2_000)
  rows.push(await watch('all nodes up', load, () => {}))
  rows.push(await watch('one node stopped', load, () => stopped!.signal('SIGSTOP')))
  rows.push(await watch('it goes on', load, () => stopped!.signal('SIGCONT')))
  rows.push(await watch('one node killed', load, () => killed!.signal('SIGKILL')))
  await killed!.exit()
  rows.push(await watch('it is started again', load, () => killed!.start()))
  await load.stop()
}

const [cpu] = cpus()
console.log(
  `${cpus().length} cores, ${cpu?.model}; Node ${process.version}; ${values.clients} clients, ${values.rounds} rounds\n`,
)
console.log('| event | creates | failed | longest gap between successes, ms (worst round) |')
console.log('| --- | --- | --- | --- |')
for (const [what, group] of Map.groupBy(rows, (row) => row.what)) {
  const sum = (pick: (row: Row) => number) => group.reduce((total, row) => total + pick(row), 0)
  const longest = Math.max(...group.map(({ longestGapMs }) => longestGapMs))
  console.log(
    `| ${what} | ${sum((row) => row.successes)} | ${sum((row) => row.failures)} | ${longest.toFixed(0)} |`,
  )
}
