/** The report that `cohort verify` prints at its end. */
import { formatCount } from '../progress.ts'
import type { Findings } from './findings.ts'
import type { Command } from './operation.ts'
import { KINDS, type VerifyTally } from './verify-tally.ts'

export type VerifyReportInput = Readonly<{
  tally: VerifyTally
  findings: Findings
  keyCount: number
  /** The keys whose groups could not be deleted. */
  leftovers: ReadonlySet<string>
}>

/** Kinds that a run may leave out, because not every cluster has members of groups. */
const MEMBER_KINDS: readonly Command['kind'][] = ['add', 'put', 'check', 'remove']
const NAMED_MAX = 3

/** The report, line by line. */
export function verifyReportLines({ tally, findings, keyCount, leftovers }: VerifyReportInput): string[] {
  const answered = tally.sum('done') + tally.sum('refused')
  const unknown = tally.sum('unknown')
  return [
    ...KINDS.filter((kind) => !MEMBER_KINDS.includes(kind) || tally.countAll(kind) > 0).map((kind) =>
      line(`${kind}s`, countsOf(tally, kind)),
    ),
    ...tally.problems.map(([problem, count], index) =>
      line(index === 0 ? 'not done' : '', `${problem}: ${formatCount(count)}`),
    ),
    line(
      'checked',
      `${formatCount(answered)} answers and ${formatCount(unknown)} unknown ${unknown === 1 ? 'outcome' : 'outcomes'}, ` +
        `on ${formatCount(keyCount)} groups`,
    ),
    ...verdictLines(tally, findings),
    line('cleaned up', cleanUpText(keyCount, leftovers)),
  ]
}

/**
 * Whether there were answers to judge, and all of them were found linearizable. If a cluster refuses every
 * request, nothing has been checked.
 */
export function isChecked(tally: VerifyTally, findings: Findings): boolean {
  const isExercised = tally.count('create', 'done') > 0 && tally.count('read', 'done') > 0
  return isExercised && findings.undecided === 0 && findings.violations.length === 0
}

function countsOf(tally: VerifyTally, kind: Command['kind']): string {
  const counts = [
    ['done', tally.count(kind, 'done')],
    ['refused', tally.count(kind, 'refused')],
    ['not applied', tally.count(kind, 'not_applied')],
    ['unknown', tally.count(kind, 'unknown')],
    ['unanswered', tally.count(kind, 'unanswered')],
  ] as const
  return counts
    .filter(([name, count]) => count > 0 || name === 'done')
    .map(([name, count]) => `${name}: ${formatCount(count)}`)
    .join('   ')
}

function verdictLines(tally: VerifyTally, findings: Findings): string[] {
  const { linearizable, undecided, violations } = findings
  if (violations.length > 0) {
    return [
      line(
        'verdict',
        `NOT LINEARIZABLE: ${formatCount(violations.length)} of these groups cannot be explained`,
      ),
      ...violations.map(({ key, judgement }) => line('', `${key}: ${judgement.reason}`)),
    ]
  }
  if (undecided > 0) {
    const total = linearizable + undecided
    return [
      line(
        'verdict',
        `undecided: the search was given up for ${formatCount(undecided)} of ${formatCount(total)} groups`,
      ),
    ]
  }
  if (!isChecked(tally, findings)) return [line('verdict', 'none: too little was answered to check anything')]
  return [line('verdict', 'linearizable')]
}

function cleanUpText(keyCount: number, leftovers: ReadonlySet<string>): string {
  if (leftovers.size === 0) return 'all groups'
  const named = [...leftovers].slice(0, NAMED_MAX).join(', ')
  const rest = leftovers.size > NAMED_MAX ? ', …' : ''
  return `not wholly: ${formatCount(leftovers.size)} of ${formatCount(keyCount)} groups may be left: ${named}${rest}`
}

function line(name: string, value: string): string {
  return `${name.padEnd(11)} ${value}`
}
