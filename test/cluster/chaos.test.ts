import { test } from 'node:test'
import { leaveNothing } from './leave-nothing.ts'
import { verifyUnderFaults } from './verify-under-faults.ts'

leaveNothing()

test('clients see one linearizable history for 15 s of kills, stops and broken networks', async (t) => {
  t.diagnostic(await verifyUnderFaults(15))
})
