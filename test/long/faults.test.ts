/** Tests that find more the longer they run: deaths of processes, and clients under every kind of fault. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tryDurability } from '../cluster/durability.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { tryDamage } from '../cluster/spoiled-records.ts'
import { verifyUnderFaults } from '../cluster/verify-under-faults.ts'

leaveNothing()

test('what was acknowledged is there after kill -9 of every process at a random moment, 200 times', async (t) => {
  const { acknowledged, lost } = await tryDurability({
    rounds: 200,
    clients: 32,
    loadMsMax: 1_000,
    onRound: ({ round, acknowledged, lost }) => {
      if (round % 20 === 0) t.diagnostic(`round ${round}: ${acknowledged} acknowledged, ${lost.length} lost`)
    },
  })
  assert.deepEqual(lost, [])
  assert.ok(acknowledged > 10_000, `${acknowledged} creates`)
})

test('clients see one linearizable history for five minutes of kills, stops and broken networks', async (t) => {
  t.diagnostic(await verifyUnderFaults(300))
})

test('what disks spoil for five minutes is never served, and all of it heals', async (t) => {
  const counts = await tryDamage({ minutes: 5, flipsMax: 100, patienceMs: 60_000, onRound: () => undefined })
  t.diagnostic(JSON.stringify(counts))
  const { wrong, dead, unhealed, spoiled, verdict } = counts
  assert.deepEqual(
    { wrong, dead, unhealed, verdict },
    { wrong: 0, dead: 0, unhealed: 0, verdict: 'linearizable' },
  )
  assert.ok(spoiled > 500, `${spoiled} records`)
})
