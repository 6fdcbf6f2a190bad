import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Round, tryDurability } from './durability.ts'
import { leaveNothing } from './leave-nothing.ts'

leaveNothing()

test('what was acknowledged is there after kill -9 of every process at once, at a random moment, twice', async () => {
  const rounds: Round[] = []
  const { acknowledged, lost } = await tryDurability({
    rounds: 2,
    clients: 32,
    loadMsMax: 1_000,
    onRound: (round) => rounds.push(round),
  })
  assert.deepEqual(lost, [])
  assert.deepEqual(
    rounds.flatMap((round) => round.lost),
    [],
  )
  assert.ok(acknowledged > 0)
})
