/**
 * Cohort beside etcd and Postgres: all at once on this machine, on its disk, warmed up, and loaded in
 * alternating turns.
 *
 *   npm run bench:peers -- [--seconds 3] [--rounds 3] [--seeds 10000] [--warm 9] [--open-seconds 8]
 *   [--outage-seconds 5] [--outage-rounds 2] [--out bench/peers/results]
 *   [--directory the system's folder for temporary files]
 *
 * It prints the figures, and writes them to `results.json` and charts beside it. If a program is missing on
 * the machine, it names the command that installs it. README.md in this folder says what is compared, and
 * how.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { median } from '../statistics.ts'
import { barChart, latencyChart } from './charts.ts'
import { CohortSystem } from './cohort-system.ts'
import { EtcdSystem } from './etcd-system.ts'
import { HttpPeer } from './http-peer.ts'
import type { Outage, Peer, Turn, Work } from './peer.ts'
import { PostgresPeer } from './postgres-peer.ts'
import { missingRequirements } from './requirements.ts'
import { type OpenLoop, type OutageRow, type Results, type Row, report } from './results.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    seeds: { type: 'string', default: '10000' },
    warm: { type: 'string', default: '9' },
    'open-seconds': { type: 'string', default: '8' },
    'outage-seconds': { type: 'string', default: '5' },
    'outage-rounds': { type: 'string', default: '2' },
    directory: { type: 'string', default: tmpdir() },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
  },
})
const seconds = Number(values.seconds)
const rounds = Number(values.rounds)
const seeds = Number(values.seeds)

/**
 * What is measured before a member is lost. One client shows how long a request takes; many clients show the
 * throughput.
 */
const LOADS: readonly Readonly<{ what: string; work: Work; clients: number }>[] = [
  ...[1, 64, 256].map((clients) => ({ what: 'create', work: 'create', clients }) as const),
  ...[1, 64, 256].map((clients) => ({ what: 'read', work: 'read', clients }) as const),
  { what: 'change one group', work: 'change', clients: 64 },
]

const say = (line: string) => console.error(line)

/** The sides in a different order in each round, so that no side always follows the same one. */
function inTurn(peers: readonly Peer[], round: number): Peer[] {
  const first = round % peers.length
  return [...peers.slice(first), ...peers.slice(0, first)]
}

async function measure(peers: readonly Peer[], what: string, work: Work, clients: number): Promise<Row> {
  const turns: { [peer: string]: Turn[] } = Object.fromEntries(peers.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const peer of inTurn(peers, round)) {
      const turn = await peer.turn(work, { clients, seconds })
      turns[peer.name]!.push(turn)
      say(
        `${what}, ${clients} clients, round ${round + 1} of ${rounds}: ${peer.name} ${turn.perSecond.toFixed(0)}/s, ` +
          `p50 ${turn.p50Ms.toFixed(2)} ms, p99 ${turn.p99Ms.toFixed(1)} ms`,
      )
      // Background work of one side must not disturb the turn of the next one.
      await sleep(500)
    }
  }
  return { what, clients, turns }
}

async function openLoops(peers: readonly Peer[], rows: readonly Row[]): Promise<OpenLoop[]> {
  const loops: OpenLoop[] = []
  for (const work of ['create', 'read'] as const) {
    const capacity = rows.find(({ what, clients }) => what === work && clients === 64)!
    for (const peer of peers) {
      const perSecond = median(capacity.turns[peer.name]!.map((turn) => turn.perSecond)) / 2
      say(`${work}, open loop: ${peer.name} at ${perSecond.toFixed(0)}/s`)
      const histogram = await peer.openLoop(work, { perSecond, seconds: Number(values['open-seconds']) })
      loops.push({ what: work, peer: peer.name, perSecond, histogram })
    }
  }
  return loops
}

async function outages(peers: readonly Peer[]): Promise<OutageRow[]> {
  const rows: OutageRow[] = []
  const outageRounds = Number(values['outage-rounds'])
  for (const event of ['kill', 'stop'] as const) {
    for (const peer of peers) {
      const seen: Outage[] = []
      for (let round = 0; round < outageRounds; round += 1) {
        seen.push(await peer.outage(event, Number(values['outage-seconds'])))
        say(
          `${event}, round ${round + 1} of ${outageRounds}: ${peer.name} ${seen.at(-1)!.gapMs.toFixed(0)} ms`,
        )
      }
      rows.push({ peer: peer.name, event, outages: seen })
    }
  }
  return rows
}

/** `save` is called after each phase, so that a run that ends early has shown what it has measured. */
async function compare(peers: readonly Peer[], save: (results: Results) => Promise<void>): Promise<Results> {
  const startedAt = new Date().toISOString()
  for (const peer of peers) await peer.seed(seeds)
  say('warming up')
  for (const work of ['create', 'read', 'change'] as const) {
    for (const peer of peers)
      await peer.turn(work, { clients: 64, seconds: Math.ceil(Number(values.warm) / 3) })
  }
  const rows: Row[] = []
  const soFar = (openLoops: readonly OpenLoop[], seen: readonly OutageRow[]): Results => ({
    machine: `${cpus().length} cores, ${cpus()[0]?.model}; Node ${process.version}`,
    startedAt,
    settings: { seconds, rounds, seeds },
    peers: peers.map(({ name, description }) => ({ name, description })),
    rows,
    openLoops,
    outages: seen,
  })
  for (const { what, work, clients } of LOADS) rows.push(await measure(peers, what, work, clients))
  await save(soFar([], []))
  const loops = await openLoops(peers, rows)
  say('one member is killed')
  for (const peer of peers) await peer.loseMember()
  await sleep(2_000)
  rows.push(await measure(peers, 'create, one member dead', 'create', 64))
  rows.push(await measure(peers, 'read, one member dead', 'read', 64))
  await save(soFar(loops, []))
  for (const peer of peers) await peer.heal()
  return soFar(loops, await outages(peers))
}

async function write(results: Results, directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const sides = results.peers.map(({ name }) => name)
  const bars = (rows: readonly Row[], pick: (turn: Turn) => number) =>
    rows.map(({ what, clients, turns }) => ({
      label: `${what}, ${clients} client${clients === 1 ? '' : 's'}`,
      values: sides.map((side) => median((turns[side] ?? []).map(pick))),
    }))
  const many = results.rows.filter(({ clients }) => clients > 1)
  const files: [string, string][] = [
    ['results.json', `${JSON.stringify(results, null, 2)}\n`],
    ['report.md', `${report(results)}\n`],
    [
      'throughput.svg',
      barChart({
        title: 'Requests per second',
        unit: 'more is better',
        sides,
        groups: bars(many, (turn) => turn.perSecond),
      }),
    ],
    [
      'latency.svg',
      barChart({
        title: '99th percentile of the latency, ms (closed loop)',
        unit: 'less is better',
        sides,
        groups: bars(results.rows, (turn) => turn.p99Ms),
      }),
    ],
    [
      'outages.svg',
      barChart({
        title:
          'Longest gap without a success, ms (the worst round; a bar may be a gap that was not seen to end)',
        unit: 'less is better',
        sides,
        groups: (['kill', 'stop'] as const).map((event) => ({
          label: event === 'kill' ? 'member killed' : 'member stopped',
          values: sides.map((side) => {
            const row = results.outages.find((one) => one.peer === side && one.event === event)
            return row && Math.max(...row.outages.map(({ gapMs }) => gapMs))
          }),
        })),
      }),
    ],
  ]
  for (const work of ['create', 'read']) {
    const curves = results.openLoops
      .filter(({ what }) => what === work)
      .map(({ peer, histogram }) => ({ side: peer, histogram }))
    const title = `Latency of a ${work} since it was due, at half of what each side can do`
    files.push([`open-loop-${work}.svg`, latencyChart({ title, curves })])
  }
  for (const [name, content] of files) await writeFile(join(directory, name), content)
}

const missing = await missingRequirements(values.directory)
if (missing.length > 0) {
  for (const sentence of missing) console.error(sentence)
  process.exit(1)
}
// All processes that are started below put their data there.
process.env.TMPDIR = values.directory

const peers: Peer[] = []
const closeAll = () => Promise.all(peers.splice(0).map((peer) => peer.close()))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // All processes that were started are ended. A load that still runs then fails, and its error is not
  // printed.
  process.once(signal, () => closeAll().finally(() => process.exit(130)))
}
try {
  peers.push(new HttpPeer(await CohortSystem.start()))
  peers.push(new HttpPeer(await EtcdSystem.start()))
  peers.push(await PostgresPeer.start())
  const results = await compare(peers, (soFar) => write(soFar, values.out))
  await write(results, values.out)
  console.log(report(results))
  say(`written to ${values.out}`)
} finally {
  await closeAll()
}
