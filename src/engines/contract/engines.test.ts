/** The engines that need no other process. The engine on Postgres has its servers: test/postgres. */
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { MemoryGroupMembers } from '../../../test/api/memory-group-members.ts'
import { MemoryKeyStore } from '../../../test/api/memory-key-store.ts'
import { MemoryRegistry } from '../../../test/api/memory-registry.ts'
import { ScriptedChanges } from '../../../test/api/scripted-changes.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { pass, settled } from '../../testing/memory-cluster.ts'
import { MemoryNetwork } from '../../testing/memory-network.ts'
import { CohortEngine } from '../cohort/cohort-engine.ts'
import { testEngine } from './contract.ts'
import type { Subject } from './subject.ts'

const HOSTS = ['n1:1', 'n2:1', 'n3:1']

async function memoryEngine(): Promise<Subject> {
  const registry = new MemoryRegistry()
  const changes = new ScriptedChanges()
  registry.onChange = (state) => changes.change(state)
  const groupMembers = new MemoryGroupMembers(registry)
  return {
    engine: { registry, groupMembers, changes, keys: new MemoryKeyStore() },
    during: (operation) => operation,
    pause: sleep,
    close: async () => {},
  }
}

/** The engine `cohort` with three nodes in memory, and a clock that goes on only during operations. */
async function cohortEngine(): Promise<Subject> {
  const clock = new ManualClock()
  const network = new MemoryNetwork(clock)
  for (const [index, address] of HOSTS.entries()) network.add(address, `id${index + 1}`)
  let drawn = 0
  const engine = new CohortEngine({
    hosts: HOSTS,
    timeoutMs: 3_000,
    replaceAfterMs: 60_000,
    clusterId: undefined,
    tombstoneGraceMs: 3_600_000,
    connect: network.connect,
    clock,
    random: () => {
      drawn += 1
      return (drawn * 0.618) % 1
    },
    logger: pino({ level: 'silent' }),
  })
  const running = engine.run()
  for (let ms = 0; !engine.readiness.isReady(); ms += 1) {
    assert.ok(ms < 5_000, 'it is ready')
    await pass(clock, 1)
  }
  return {
    engine,
    async during(operation) {
      let isOver = false
      const ended = operation.finally(() => {
        isOver = true
      })
      // Without these lines a failure would be reported before this function awaits it.
      ended.catch(() => undefined)
      for (await settled(); !isOver; ) await pass(clock, 1)
      return ended
    },
    pause: (ms) => pass(clock, ms),
    async close() {
      engine.close()
      await pass(clock, 100)
      await running
    },
  }
}

testEngine('memory', memoryEngine)
testEngine('cohort', cohortEngine)
