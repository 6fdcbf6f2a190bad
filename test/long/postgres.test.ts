/** Tests of the engine on Postgres that find more the longer they run. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { cutAtBytes } from '../postgres/cut-bytes.ts'
import { moveBothWays } from '../postgres/moves.ts'
import { sharedTrio } from '../postgres/shared-trio.ts'
import { verifyPostgresUnderFaults } from '../postgres/verify-under-faults.ts'

leaveNothing()

test('a change is made once, whichever byte of its statement or its answer is the last one', async () => {
  const trio = await sharedTrio()
  const counts = [await cutAtBytes(trio, 'toServer', 1), await cutAtBytes(trio, 'toClient', 1)]
  assert.ok(counts[0]! > 300 && counts[1]! > 50, `${counts} bytes`)
})

test('clients of Postgres see one linearizable history for ten minutes of faults', async (t) => {
  t.diagnostic(await verifyPostgresUnderFaults(600, Date.now() % 2 ** 31))
})

test('100,000 groups with a member each move from Postgres to nodes and back', async (t) => {
  await moveBothWays({ groups: 100_000, members: 1 }, ({ step, seconds, rowsPerSecond }) =>
    t.diagnostic(`${step}: ${seconds.toFixed(1)} s, ${rowsPerSecond} a second`),
  )
})
