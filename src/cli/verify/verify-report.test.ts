import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Findings } from './findings.ts'
import type { Operation } from './operation.ts'
import { isChecked, verifyReportLines } from './verify-report.ts'
import { VerifyTally } from './verify-tally.ts'

const ALL_IS_WELL: Findings = { linearizable: 2, undecided: 0, violations: [] }

function commandOf(kind: Operation['command']['kind']): Operation['command'] {
  if (kind === 'read' || kind === 'create') return { kind }
  if (kind === 'update' || kind === 'delete') return { kind, ifMatch: undefined }
  return { kind, memberId: 'm' }
}

/** A tally in which each of these counts as often as its number says. */
function tallyOf(
  ...counts: readonly (readonly [Operation['command']['kind'], Operation['outcome'], number, string?])[]
) {
  const tally = new VerifyTally()
  for (const [kind, outcome, count, problem] of counts) {
    const command = commandOf(kind)
    for (let time = 0; time < count; time += 1) tally.add({ command, outcome, problem })
  }
  return tally
}

const WORK = [
  ['create', 'done', 3],
  ['read', 'done', 2],
] as const

test('the report counts operations by kind and outcome, and those that were not done by their reason', () => {
  const tally = tallyOf(
    ...WORK,
    ['create', 'refused', 1],
    ['update', 'not_applied', 1, '503 unavailable'],
    ['delete', 'unknown', 1_000, '504 outcome_unknown'],
    ['read', 'unanswered', 1, '503 unavailable'],
  )
  const input = { tally, findings: ALL_IS_WELL, keyCount: 2, leftovers: new Set<string>() }
  assert.deepEqual(verifyReportLines(input), [
    'creates     done: 3   refused: 1',
    'reads       done: 2   unanswered: 1',
    'updates     done: 0   not applied: 1',
    'deletes     done: 0   unknown: 1,000',
    'not done    504 outcome_unknown: 1,000',
    '            503 unavailable: 2',
    'checked     6 answers and 1,000 unknown outcomes, on 2 groups',
    'verdict     linearizable',
    'cleaned up  all groups',
  ])
})

test('the report has a line for each kind of operation on members, if there were any', () => {
  const tally = tallyOf(...WORK, ['add', 'done', 3], ['add', 'refused', 1], ['check', 'unanswered', 2])
  const lines = verifyReportLines({ tally, findings: ALL_IS_WELL, keyCount: 2, leftovers: new Set() })
  assert.deepEqual(lines.slice(3, 7), [
    'deletes     done: 0',
    'adds        done: 3   refused: 1',
    'checks      done: 0   unanswered: 2',
    'checked     9 answers and 0 unknown outcomes, on 2 groups',
  ])
})

test('a violation is the verdict, with a sentence for each group', () => {
  const operation = { number: 7 } as Operation
  const judgement = { kind: 'violated', reason: 'no order explains #7', operation } as const
  const findings = { linearizable: 1, undecided: 1, violations: [{ key: 'p/1', judgement }] }
  const lines = verifyReportLines({ tally: tallyOf(...WORK), findings, keyCount: 3, leftovers: new Set() })
  assert.ok(lines.includes('verdict     NOT LINEARIZABLE: 1 of these groups cannot be explained'))
  assert.ok(lines.includes('            p/1: no order explains #7'))
  assert.ok(!isChecked(tallyOf(...WORK), findings))
})

test('a run that did nothing, or read nothing, has checked nothing; and a search that was given up is no success', () => {
  assert.ok(isChecked(tallyOf(...WORK), ALL_IS_WELL))
  assert.ok(!isChecked(tallyOf(), ALL_IS_WELL))
  assert.ok(!isChecked(tallyOf(['read', 'done', 5]), ALL_IS_WELL))
  assert.ok(!isChecked(tallyOf(['create', 'done', 5]), ALL_IS_WELL))
  const undecided = { ...ALL_IS_WELL, undecided: 1 }
  assert.ok(!isChecked(tallyOf(...WORK), undecided))
  const lines = verifyReportLines({
    tally: tallyOf(...WORK),
    findings: undecided,
    keyCount: 3,
    leftovers: new Set(),
  })
  assert.ok(lines.includes('verdict     undecided: the search was given up for 1 of 3 groups'))
})

test('the report names some of the groups that may be left', () => {
  const leftovers = new Set(['p/1', 'p/2', 'p/3', 'p/4'])
  const lines = verifyReportLines({ tally: tallyOf(...WORK), findings: ALL_IS_WELL, keyCount: 9, leftovers })
  assert.equal(lines.at(-1), 'cleaned up  not wholly: 4 of 9 groups may be left: p/1, p/2, p/3, …')
})
