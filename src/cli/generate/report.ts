/** The report that `cohort generate` prints at its end. */

import { formatCount } from '../progress.ts'
import type { Ledger } from './ledger.ts'
import type { Tally } from './send-batches.ts'
import { countByNodes, type NodeVerdict } from './verify-on-nodes.ts'

/** What the report needs about one kind of thing: groups, or members. */
export type ReportInput = Readonly<{
  kind: 'groups' | 'members'
  amount: number
  tally: Tally
  makeMs: number
  /** `undefined`: nothing was verified. */
  verdicts: readonly NodeVerdict[] | undefined
  quorum: number
}>

const WORDS = {
  groups: { made: 'created', madeEach: 'creates' },
  members: { made: 'added', madeEach: 'members' },
} as const

/** The report about one kind of thing, line by line. */
export function reportLines({ kind, amount, tally, makeMs, verdicts, quorum }: ReportInput): string[] {
  const { ledger, failures, latencies } = tally
  const { made, madeEach } = WORDS[kind]
  const failed = [...failures].filter(([, count]) => count > 0).sort(([, a], [, b]) => b - a)
  const failedCount = failed.reduce((sum, [, count]) => sum + count, 0)
  const [p50, p99] = latencies.percentiles([50, 99])
  const rate = makeMs > 0 ? (ledger.madeCount * 1_000) / makeMs : 0
  const subject = kind === 'groups' ? '' : `${kind} `
  return [
    line(made, `${formatCount(ledger.madeCount)} ${subject}of ${formatCount(amount)}`),
    line('failed', [
      formatCount(failedCount),
      ...failed.map(([reason, count]) => `${reason}: ${formatCount(count)}`),
    ]),
    ...(ledger.unknownCount === 0 ? [] : [line('unknown', unknownText(ledger, made, verdicts, quorum))]),
    line('verified', verdicts === undefined ? 'not verified' : verifiedText(ledger, verdicts)),
    ...(verdicts ?? []).flatMap((verdict) => nodeLines(verdict, ledger.madeCount)),
    line('rate', `${formatCount(rate)} ${madeEach}/s`),
    line('latency', p50 === undefined ? 'none' : `p50 ${formatMs(p50)}  p99 ${formatMs(p99!)}`),
  ]
}

/** How many of the things that were made are on fewer than `quorum` nodes. */
export function countUnverified(ledger: Ledger, verdicts: readonly NodeVerdict[], quorum: number): number {
  return sum(countsOf(ledger, verdicts).slice(0, quorum))
}

function countsOf(ledger: Ledger, verdicts: readonly NodeVerdict[]): number[] {
  const holders = verdicts.map(({ held }) => held)
  return countByNodes(ledger.size, (number) => ledger.isMade(number), holders)
}

function verifiedText(ledger: Ledger, verdicts: readonly NodeVerdict[]): string[] {
  const counts = countsOf(ledger, verdicts)
  return counts
    .map((count, nodes) => `on ${nodes} ${nodes === 1 ? 'node' : 'nodes'}: ${formatCount(count)}`)
    .slice(1)
    .reverse()
    .concat(counts[0]! > 0 ? [`on none: ${formatCount(counts[0]!)}`] : [])
}

/** A line for a node that lacks something or has a problem. */
function nodeLines({ address, held, problem }: NodeVerdict, total: number): string[] {
  if (held.size === total && problem === undefined) return []
  const reason = problem === undefined ? '' : ` (${problem})`
  return [line('', `${address} holds ${formatCount(held.size)} of ${formatCount(total)}${reason}`)]
}

function unknownText(
  ledger: Ledger,
  made: string,
  verdicts: readonly NodeVerdict[] | undefined,
  quorum: number,
): string[] {
  const { unknownCount } = ledger
  const text = `${formatCount(unknownCount)} may have been ${made}`
  if (verdicts === undefined) return [text]
  const counts = countByNodes(
    ledger.size,
    (number) => ledger.isUnknown(number),
    verdicts.map(({ heldUnknown }) => heldUnknown),
  )
  const onQuorum = sum(counts.slice(quorum))
  return [
    text,
    `on a quorum of nodes: ${formatCount(onQuorum)}`,
    `on fewer: ${formatCount(unknownCount - onQuorum - counts[0]!)}`,
    `on none: ${formatCount(counts[0]!)}`,
  ]
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}

function line(name: string, value: string | readonly string[]): string {
  return `${name.padEnd(9)} ${typeof value === 'string' ? value : value.join('   ')}`
}

function formatMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(2) : ms.toFixed(1)} ms`
}
