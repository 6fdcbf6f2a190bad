import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Round, tryDurability } from './durability.ts'

test('what was acknowledged is there after every process was killed at a random moment, four times', async () => {
  const rounds: Round[] = []
  const { acknowledged, lost } = await tryDurability({
    rounds: 4,
    clients: 32,
    loadMsMax: 1_000,
    onRound: (round) => rounds.push(round),
  })
  assert.deepEqual(lost, [])
  assert.deepEqual(
    rounds.flatMap((round) => round.lost),
    [],
  )
  assert.ok(acknowledged > 100, `${acknowledged} creates`)
})
