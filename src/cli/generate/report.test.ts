import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { NumberSet } from './number-set.ts'
import { countUnverified, reportLines } from './report.ts'
import { emptyTally, type Tally } from './send-batches.ts'
import { countByNodes, type NodeVerdict } from './verify-on-nodes.ts'

const SIZE = 8

function tallyOf(made: readonly number[], unknown: readonly number[] = []): Tally {
  const tally = emptyTally(SIZE)
  for (const number of made) {
    tally.ledger.make(number, 'made')
    tally.latencies.add(2)
  }
  for (const number of unknown) tally.ledger.send(number)
  return tally
}

function setOf(numbers: readonly number[] = []): NumberSet {
  const set = new NumberSet(SIZE)
  for (const number of numbers) set.add(number)
  return set
}

function verdict(
  address: string,
  held: readonly number[],
  rest: Readonly<{ heldUnknown?: number[]; problem?: string }> = {},
): NodeVerdict {
  return { address, held: setOf(held), heldUnknown: setOf(rest.heldUnknown), problem: rest.problem }
}

const GROUPS = { kind: 'groups', makeMs: 10, quorum: 2 } as const

test('the report of a run without failures is short', () => {
  const verdicts = ['n1:1', 'n2:1', 'n3:1'].map((address) => verdict(address, [0, 5]))
  const input = { ...GROUPS, amount: 2, tally: tallyOf([0, 5]), verdicts }
  assert.deepEqual(reportLines(input), [
    'created   2 of 2',
    'failed    0',
    'verified  on 3 nodes: 2   on 2 nodes: 0   on 1 node: 0',
    'rate      200 creates/s',
    'latency   p50 2.00 ms  p99 2.00 ms',
  ])
  assert.deepEqual(reportLines({ ...input, kind: 'members' }).slice(0, 4), [
    'added     2 members of 2',
    'failed    0',
    'verified  on 3 nodes: 2   on 2 nodes: 0   on 1 node: 0',
    'rate      200 members/s',
  ])
})

test('the report names failures by code, unknown outcomes, and nodes that lack something', () => {
  const tally = tallyOf([0, 1], [2, 3, 4])
  tally.failures.set('503 unavailable', 1).set('504 outcome_unknown', 3)
  const verdicts = [
    verdict('n1:1', [0, 1], { heldUnknown: [2, 3] }),
    verdict('n2:1', [0], { heldUnknown: [2] }),
    verdict('n3:1', [], { problem: 'no answer' }),
  ]
  assert.deepEqual(reportLines({ ...GROUPS, amount: 6, tally, verdicts }).slice(0, 6), [
    'created   2 of 6',
    'failed    4   504 outcome_unknown: 3   503 unavailable: 1',
    'unknown   3 may have been created   on a quorum of nodes: 1   on fewer: 1   on none: 1',
    'verified  on 3 nodes: 0   on 2 nodes: 1   on 1 node: 1',
    '          n2:1 holds 1 of 2',
    '          n3:1 holds 0 of 2 (no answer)',
  ])
  assert.equal(countUnverified(tally.ledger, verdicts, 2), 1)
})

test('a run that was interrupted says that nothing was verified', () => {
  const lines = reportLines({ ...GROUPS, amount: 5, tally: tallyOf([], [0]), verdicts: undefined })
  assert.deepEqual(lines, [
    'created   0 of 5',
    'failed    0',
    'unknown   1 may have been created',
    'verified  not verified',
    'rate      0 creates/s',
    'latency   none',
  ])
})

test('every thing is counted under exactly one number of nodes', () => {
  const numbers = fc.uniqueArray(fc.nat(SIZE - 1))
  const holders = fc.array(numbers, { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(numbers, holders, (some, lists) => {
      const sets = lists.map(setOf)
      const counts = countByNodes(SIZE, (number) => some.includes(number), sets)
      assert.equal(counts.length, sets.length + 1)
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        some.length,
      )
      assert.equal(
        counts[sets.length],
        some.filter((number) => lists.every((list) => list.includes(number))).length,
      )
    }),
  )
})
