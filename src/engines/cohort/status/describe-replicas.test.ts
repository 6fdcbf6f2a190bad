import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeGroup } from '../../../group/group-codec.ts'
import { EMPTY_RECORD } from '../../../register/acceptor.ts'
import type { KeyRecord } from '../../../register/messages.ts'
import { ABSENT, type State, successor } from '../../../register/state.ts'
import { findDivergences } from '../../../replication/divergence.ts'
import { describeReplicas } from './describe-replicas.ts'

const GROUP = successor(
  ABSENT,
  { proposerId: 7, sequence: 1 },
  encodeGroup({
    groupId: 'g',
    version: 3,
    incarnation: 'i',
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
  }),
)
const TOMBSTONE = successor(GROUP, { proposerId: 7, sequence: 2 }, undefined)

function holding(state: State, round: number, chosen = true): KeyRecord {
  return {
    promised: { round: round + 1, proposerId: 0 },
    accepted: { round, proposerId: 0 },
    state,
    chosen,
    isStub: false,
  }
}

function describe(...records: readonly (KeyRecord | undefined)[]) {
  const reads = records.map((record, index) => ({ nodeId: `n${index}`, address: `n${index}:8001`, record }))
  const known = reads.flatMap(({ nodeId, record }) => (record === undefined ? [] : [{ nodeId, record }]))
  return describeReplicas('g', reads, findDivergences('group/g', known))
}

test('equal nodes agree, marked or not', () => {
  const { agree, reason, replicas } = describe(holding(GROUP, 1), holding(GROUP, 1, false), holding(GROUP, 2))
  assert.deepEqual([agree, reason], [true, 'All 3 nodes hold the same state, version 3.'])
  assert.deepEqual(replicas[1], {
    nodeId: 'n1',
    address: 'n1:8001',
    holds: 'group',
    version: 3,
    generation: 1,
    writeId: { proposerId: 7, sequence: 1, text: '7.1' },
    ballot: { round: 1, proposerId: 0, text: '1.fast' },
    chosen: false,
    promised: { round: 2, proposerId: 0, text: '2.fast' },
  })
})

test('a group that was deleted, and one that never was, are told apart', () => {
  const deleted = describe(holding(TOMBSTONE, 2), holding(TOMBSTONE, 2), holding(TOMBSTONE, 2))
  assert.deepEqual([deleted.agree, deleted.replicas[0]?.holds], [true, 'tombstone'])
  assert.match(deleted.reason, /the group was deleted\.$/)
  const never = describe(EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD)
  assert.deepEqual([never.agree, never.replicas[0]?.holds], [true, 'absent'])
  assert.equal(never.reason, 'All 3 nodes hold nothing: there is no such group.')
  const stub = { ...EMPTY_RECORD, promised: { round: 4, proposerId: 0 }, isStub: true }
  assert.equal(describe(stub, stub, stub).replicas[0]?.holds, 'stub')
})

test('a node that lags is counted, and so is one that does not answer', () => {
  const { agree, differ, reason } = describe(holding(TOMBSTONE, 2), holding(GROUP, 1), undefined)
  assert.deepEqual([agree, differ], [false, true])
  assert.match(reason, /^1 node holds an older state; .*; 1 node does not answer\.$/)
  const two = describe(holding(GROUP, 1), holding(GROUP, 1), undefined)
  assert.deepEqual(
    [two.agree, two.differ, two.reason],
    [false, false, 'The 2 nodes that answer hold the same state, version 3; 1 node does not answer.'],
  )
  const one = describe(holding(GROUP, 1), undefined, undefined)
  assert.equal(one.reason, 'The one node that answers holds a state, version 3; 2 nodes do not answer.')
  assert.equal(describe(undefined, undefined, undefined).reason, 'No node answers.')
})

test('a split vote at one ballot is no lag', () => {
  const other = successor(ABSENT, { proposerId: 8, sequence: 1 }, GROUP.value)
  assert.match(
    describe(holding(GROUP, 1, false), holding(other, 1, false)).reason,
    /^Nodes voted for 2 states/,
  )
})

test('a divergence is said to be one, also when only the bytes of the value differ', () => {
  const rotten = { ...GROUP, value: Buffer.from('rotten') }
  const { agree, differ, reason, replicas } = describe(holding(GROUP, 1), holding(rotten, 1))
  assert.deepEqual([agree, differ], [false, true])
  assert.match(reason, /^Divergence: /)
  assert.equal(replicas[1]?.version, null)
})
