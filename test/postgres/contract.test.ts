/** The engine on Postgres keeps what every engine promises, on a real primary with synchronous standbys. */
import { setTimeout as sleep } from 'node:timers/promises'
import { testEngine } from '../../src/engines/contract/contract.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { anEngine, emptyDatabase, sharedTrio } from './shared-trio.ts'

leaveNothing()

testEngine('postgres', async () => {
  const trio = await sharedTrio()
  const { engine, close } = await anEngine(trio.url(await emptyDatabase(trio, 'contract')))
  return { engine, during: (operation) => operation, pause: sleep, close }
})
