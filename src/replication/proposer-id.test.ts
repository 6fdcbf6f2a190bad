import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROPOSER_ID_MAX } from '../register/ballot.ts'
import { drawProposerId } from './proposer-id.ts'

test('proposer ids fill their range: a connector once failed at its birth because the range was too wide to draw from', () => {
  const drawn = Array.from({ length: 10_000 }, drawProposerId)
  assert.ok(drawn.every((id) => Number.isInteger(id) && id >= 1 && id <= PROPOSER_ID_MAX))
  assert.equal(new Set(drawn).size, drawn.length)
  assert.ok(Math.max(...drawn) > PROPOSER_ID_MAX * 0.99)
})
