import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ABSENT,
  formatState,
  isTombstone,
  LINEAGE_LENGTH,
  type State,
  sameWriteId,
  successor,
} from './state.ts'

const VALUE = new Uint8Array([1])

/** The state after `count` writes of proposer 7, whose sequences are 1 to `count`. */
function written(count: number): State {
  let state = ABSENT
  for (let sequence = 1; sequence <= count; sequence += 1) {
    state = successor(state, { proposerId: 7, sequence }, VALUE)
  }
  return state
}

test('a successor is one generation on, and its own writeId is the newest of its lineage', () => {
  const state = written(3)
  assert.equal(state.generation, 3)
  assert.deepEqual(state.writeId, { proposerId: 7, sequence: 3 })
  assert.deepEqual(
    state.lineage.map(({ sequence }) => sequence),
    [1, 2, 3],
  )
})

test('a lineage holds the last 16 writes: entry i from the end has generation - i', () => {
  for (let count = 0; count <= 40; count += 1) {
    const { generation, lineage } = written(count)
    assert.equal(lineage.length, Math.min(count, LINEAGE_LENGTH))
    for (const [i, { sequence }] of lineage.toReversed().entries()) assert.equal(sequence, generation - i)
  }
})

test('a successor leaves its base as it was', () => {
  const base = written(16)
  const before = structuredClone(base)
  successor(base, { proposerId: 8, sequence: 1 }, undefined)
  assert.deepEqual(base, before)
})

test('a base whose lineage has a gap is refused', () => {
  const torn = { ...written(3), lineage: written(3).lineage.slice(1) }
  assert.throws(() => successor(torn, { proposerId: 7, sequence: 4 }, VALUE), assert.AssertionError)
})

test('a deleted key is a tombstone; a key nobody wrote is not', () => {
  assert.ok(isTombstone(successor(written(1), { proposerId: 7, sequence: 2 }, undefined)))
  assert.ok(!isTombstone(ABSENT))
  assert.ok(!isTombstone(written(1)))
})

test('a writeId is the pair of its proposer and its sequence', () => {
  assert.ok(sameWriteId({ proposerId: 7, sequence: 1 }, { proposerId: 7, sequence: 1 }))
  assert.ok(!sameWriteId({ proposerId: 7, sequence: 1 }, { proposerId: 8, sequence: 1 }))
  assert.ok(!sameWriteId({ proposerId: 7, sequence: 1 }, { proposerId: 7, sequence: 2 }))
})

test('a state reads as its writeId and generation', () => {
  assert.equal(formatState(ABSENT), 'absent')
  assert.equal(formatState(written(2)), '7.2@2')
  assert.equal(
    formatState(successor(written(2), { proposerId: 8, sequence: 1 }, undefined)),
    '8.1@3 tombstone',
  )
})
