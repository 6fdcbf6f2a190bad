import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type CreateTally, emptyTally } from './create-groups.ts'
import { countUnverified, reportLines } from './report.ts'
import { countByNodes, type NodeVerdict } from './verify-groups.ts'

function tallyOf(created: readonly string[]): CreateTally {
  const tally = emptyTally()
  for (const groupId of created) {
    tally.created.set(groupId, { groupId, version: 1, createdAt: '', updatedAt: '' })
    tally.latencies.add(2)
  }
  return tally
}

function verdict(
  address: string,
  held: readonly string[],
  rest: Readonly<{ heldUnknown?: string[]; problem?: string }> = {},
): NodeVerdict {
  return { address, held: new Set(held), heldUnknown: new Set(rest.heldUnknown), problem: rest.problem }
}

test('the report of a run without failures is short', () => {
  const verdicts = ['n1:1', 'n2:1', 'n3:1'].map((address) => verdict(address, ['a', 'b']))
  assert.deepEqual(
    reportLines({ amount: 2, tally: tallyOf(['a', 'b']), createMs: 10, verdicts, quorum: 2 }),
    [
      'created   2 of 2',
      'failed    0',
      'verified  on 3 nodes: 2   on 2 nodes: 0   on 1 node: 0',
      'rate      200 creates/s',
      'latency   p50 2.00 ms  p99 2.00 ms',
    ],
  )
})

test('the report names failures by code, unknown outcomes, and nodes that lack something', () => {
  const tally = tallyOf(['a', 'b'])
  tally.failures.set('503 unavailable', 1).set('504 outcome_unknown', 3)
  for (const id of ['u1', 'u2', 'u3']) tally.unknown.add(id)
  const verdicts = [
    verdict('n1:1', ['a', 'b'], { heldUnknown: ['u1', 'u2'] }),
    verdict('n2:1', ['a'], { heldUnknown: ['u1'] }),
    verdict('n3:1', [], { problem: 'no answer' }),
  ]
  assert.deepEqual(reportLines({ amount: 6, tally, createMs: 10, verdicts, quorum: 2 }).slice(0, 6), [
    'created   2 of 6',
    'failed    4   504 outcome_unknown: 3   503 unavailable: 1',
    'unknown   3 may have been created   on a quorum of nodes: 1   on fewer: 1   on none: 1',
    'verified  on 3 nodes: 0   on 2 nodes: 1   on 1 node: 1',
    '          n2:1 holds 1 of 2',
    '          n3:1 holds 0 of 2 (no answer)',
  ])
  assert.equal(countUnverified(['a', 'b'], verdicts, 2), 1)
})

test('a run that was interrupted says that nothing was verified', () => {
  const tally = emptyTally()
  tally.unknown.add('a')
  const lines = reportLines({ amount: 5, tally, createMs: 10, verdicts: undefined, quorum: 2 })
  assert.deepEqual(lines, [
    'created   0 of 5',
    'failed    0',
    'unknown   1 may have been created',
    'verified  not verified',
    'rate      0 creates/s',
    'latency   none',
  ])
})

test('every group is counted under exactly one number of nodes', () => {
  const ids = fc.uniqueArray(fc.string(), { maxLength: 20 })
  const holders = fc.array(fc.array(fc.string()), { minLength: 1, maxLength: 7 })
  fc.assert(
    fc.property(ids, holders, (some, lists) => {
      const sets = lists.map((list) => new Set(list))
      const counts = countByNodes(some, sets)
      assert.equal(counts.length, sets.length + 1)
      assert.equal(
        counts.reduce((sum, count) => sum + count, 0),
        some.length,
      )
      assert.equal(counts[sets.length], some.filter((id) => sets.every((set) => set.has(id))).length)
    }),
  )
})
