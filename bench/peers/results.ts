/** What a comparison has measured, and how it is printed. */

import { formatRatio, type Histogram, median, type Ratio, ratioOf } from '../statistics.ts'
import type { Event, Outage, Turn } from './peer.ts'

/** One kind of load, measured in rounds: `turns[peer][round]`. */
export type Row = Readonly<{
  what: string
  clients: number
  turns: Readonly<{ [peer: string]: readonly Turn[] }>
}>

/** Half of what each side can do, offered as an open loop. */
export type OpenLoop = Readonly<{ what: string; peer: string; perSecond: number; histogram: Histogram }>

export type OutageRow = Readonly<{ peer: string; event: Event; outages: readonly Outage[] }>

export type Results = Readonly<{
  machine: string
  startedAt: string
  settings: Readonly<{ seconds: number; rounds: number; seeds: number }>
  peers: readonly Readonly<{ name: string; description: string }>[]
  rows: readonly Row[]
  openLoops: readonly OpenLoop[]
  outages: readonly OutageRow[]
}>

/** The side with which all others are compared. */
export const OURS = 'Cohort'

export function ratiosOf(row: Row, peer: string, figure: 'perSecond' | 'p99Ms' | 'p50Ms'): Ratio | undefined {
  const of = (name: string) => (row.turns[name] ?? []).map((turn) => turn[figure])
  return ratioOf(of(OURS), of(peer))
}

/** A dash: too few requests to tell. */
const number = (value: number) =>
  Number.isNaN(value) ? '–' : value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 })

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The whole result as Markdown. */
export function report(results: Results): string {
  const { settings } = results
  const names = results.peers.map(({ name }) => name)
  const others = names.filter((name) => name !== OURS)
  const throughput = results.rows.map((row) => [
    row.what,
    String(row.clients),
    ...names.map((name) => number(median((row.turns[name] ?? []).map(({ perSecond }) => perSecond)))),
    ...names.map((name) => {
      const of = (pick: (turn: Turn) => number) => number(median((row.turns[name] ?? []).map(pick)))
      return `${of(({ p50Ms }) => p50Ms)}, ${of(({ p99Ms }) => p99Ms)}`
    }),
    ...others.flatMap((name) => [
      formatRatio(ratiosOf(row, name, 'perSecond')),
      formatRatio(ratiosOf(row, name, 'p99Ms')),
    ]),
  ])
  const generator = results.rows.flatMap((row) => {
    const costs = names.map((name) => (row.turns[name] ?? []).flatMap(({ loadUs }) => loadUs ?? []))
    if (costs.filter((ofSide) => ofSide.length > 0).length < 2) return []
    return [[row.what, String(row.clients), ...costs.map((us) => (us.length > 0 ? number(median(us)) : ''))]]
  })
  const loops = results.openLoops.map(({ what, peer, perSecond, histogram }) => [
    what,
    peer,
    number(perSecond),
    String(histogram.count),
    histogram.points.map(({ share, ms }) => `p${+(share * 100).toFixed(2)} ${number(ms)}`).join(', '),
  ])
  const outages = results.outages.map(({ peer, event, outages }) => [
    peer,
    event === 'kill' ? 'killed (SIGKILL)' : 'stopped (SIGSTOP)',
    outages.map(({ gapMs, isOver }) => `${isOver ? '' : 'more than '}${number(gapMs)}`).join('; '),
    outages.map(({ failed, succeeded }) => `${failed} of ${failed + succeeded}`).join('; '),
  ])
  return [
    `${results.machine}; ${results.startedAt}; turns of ${settings.seconds} s, ${settings.rounds} rounds, ` +
      `${settings.seeds} groups before`,
    results.peers.map(({ name, description }) => `${name}: ${description}`).join('\n'),
    'Medians of the rounds. A ratio is the median of the ratios of each round, with the lowest and the highest.',
    table(
      [
        'work',
        'clients',
        ...names.map((name) => `${name}, per second`),
        ...names.map((name) => `${name}, p50, p99 ms`),
        ...others.flatMap((name) => [`${OURS} to ${name}, per second`, `p99`]),
      ],
      throughput,
    ),
    'CPU time of the load generator (wrk) for each request, µs. It must not cost one side more than another:',
    table(['work', 'clients', ...names], generator),
    'Open loop at half of what each side reached with 64 clients; milliseconds since a request was due:',
    table(['work', 'side', 'per second', 'requests', 'latency, ms'], loops),
    'The member whose loss is felt most (of etcd the leader, of Postgres the primary):',
    table(['side', 'event', 'longest gap, ms, of each round', 'requests that failed'], outages),
  ].join('\n\n')
}
