/** The report that `cohort generate` prints at its end. */

import { formatCount } from '../progress.ts'
import type { CreateTally } from './create-groups.ts'
import { countByNodes, type NodeVerdict } from './verify-groups.ts'

/** What the report needs. */
export type ReportInput = Readonly<{
  amount: number
  tally: CreateTally
  createMs: number
  /** `undefined`: the groups were not verified. */
  verdicts: readonly NodeVerdict[] | undefined
  quorum: number
}>

/** The report, line by line. */
export function reportLines({ amount, tally, createMs, verdicts, quorum }: ReportInput): string[] {
  const { created, failures, unknown, latencies } = tally
  const failed = [...failures].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
  const failedCount = failed.reduce((sum, [, count]) => sum + count, 0)
  const [p50, p99] = latencies.percentiles([50, 99])
  const rate = createMs > 0 ? (created.size * 1_000) / createMs : 0
  return [
    line('created', `${formatCount(created.size)} of ${formatCount(amount)}`),
    line('failed', [
      formatCount(failedCount),
      ...failed.map(([reason, count]) => `${reason}: ${formatCount(count)}`),
    ]),
    ...(unknown.size === 0 ? [] : [line('unknown', unknownText(unknown, verdicts, quorum))]),
    line('verified', verdicts === undefined ? 'not verified' : verifiedText(created.keys(), verdicts)),
    ...(verdicts ?? []).flatMap((verdict) => nodeLines(verdict, created.size)),
    line('rate', `${formatCount(rate)} creates/s`),
    line('latency', p50 === undefined ? 'none' : `p50 ${formatMs(p50)}  p99 ${formatMs(p99!)}`),
  ]
}

/** How many of these groups are on fewer than `quorum` nodes. */
export function countUnverified(
  ids: Iterable<string>,
  verdicts: readonly NodeVerdict[],
  quorum: number,
): number {
  const counts = countByNodes(
    ids,
    verdicts.map(({ held }) => held),
  )
  return counts.slice(0, quorum).reduce((sum, count) => sum + count, 0)
}

function verifiedText(ids: Iterable<string>, verdicts: readonly NodeVerdict[]): string[] {
  const counts = countByNodes(
    ids,
    verdicts.map(({ held }) => held),
  )
  return counts
    .map((count, nodes) => `on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}: ${formatCount(count)}`)
    .slice(1)
    .reverse()
    .concat(counts[0]! > 0 ? [`on none: ${formatCount(counts[0]!)}`] : [])
}

/** A line for a node that lacks groups or has a problem. */
function nodeLines({ address, held, problem }: NodeVerdict, total: number): string[] {
  if (held.size === total && problem === undefined) return []
  const reason = problem === undefined ? '' : ` (${problem})`
  return [line('', `${address} holds ${formatCount(held.size)} of ${formatCount(total)}${reason}`)]
}

function unknownText(
  unknown: ReadonlySet<string>,
  verdicts: readonly NodeVerdict[] | undefined,
  quorum: number,
): string[] {
  if (verdicts === undefined) return [`${formatCount(unknown.size)} may have been created`]
  const counts = countByNodes(
    unknown,
    verdicts.map(({ heldUnknown }) => heldUnknown),
  )
  const onQuorum = counts.slice(quorum).reduce((sum, count) => sum + count, 0)
  return [
    `${formatCount(unknown.size)} may have been created`,
    `on a quorum of nodes: ${formatCount(onQuorum)}`,
    `on fewer: ${formatCount(unknown.size - onQuorum - counts[0]!)}`,
    `on none: ${formatCount(counts[0]!)}`,
  ]
}

function line(name: string, value: string | readonly string[]): string {
  return `${name.padEnd(9)} ${typeof value === 'string' ? value : value.join('   ')}`
}

function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`
}
