import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Client } from 'pg'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Durability } from './durability.ts'
import { SCHEMA_VERSION } from './migrations.ts'
import type { Sessions } from './sessions.ts'

const TIMEOUT_MS = 1_000
const LOOK = {
  is_standby: false,
  is_read_only: false,
  version: 160_000,
  version_name: '16.0',
  encoding: 'UTF8',
  timeline: 1,
  system_id: '7',
  server_ms: '0',
}
const STANDBY = { name: 's1', address: 'b:1', state: 'streaming', is_synchronous: true, replay_lag_ms: null }

/** A primary that a test plays, and every client that was connected to it. */
function aWorld() {
  const clock = new ManualClock()
  const world = { standbys: [STANDBY], names: 'ANY 1 (s1)', hangs: false, looks: true, open: 0, commits: 0 }
  const answerTo = async (text: string): Promise<object[]> => {
    if (text.includes('pg_logical_emit_message')) {
      world.commits += 1
      if (world.hangs) await new Promise(() => {})
      return []
    }
    if (!world.looks) await new Promise(() => {})
    if (text.includes('pg_is_in_recovery')) return [LOOK]
    if (text.includes('to_regclass')) return [{ is_there: true }]
    if (text.includes('cohort.migration')) return [{ version: SCHEMA_VERSION }]
    if (text.includes('cohort.identity')) return [{ cluster_id: 'c' }]
    if (text.includes('synchronous_standby_names')) return [{ synchronous_standby_names: world.names }]
    if (text.includes('pg_stat_replication')) return world.standbys
    if (text.includes('pg_stat_activity')) return [{ pid: 1, started_at: 'then' }]
    return []
  }
  const clientOf = (): Client => {
    let fail: (error: Error) => void = () => {}
    const destroyed = new Promise<never>((_, reject) => {
      fail = reject
    })
    destroyed.catch(() => undefined)
    let isOpen = false
    const destroy = () => {
      if (isOpen) world.open -= 1
      isOpen = false
      fail(new Error('destroyed'))
    }
    const client = {
      on: () => client,
      connect: async () => {
        world.open += 1
        isOpen = true
      },
      query: (text: string) => Promise.race([destroyed, answerTo(text).then((rows) => ({ rows }))]),
      connection: { stream: { destroy } },
      end: async () => {},
    }
    return client as unknown as Client
  }
  const sessions = {
    host: { address: 'a:1', url: '' },
    place: () => ({ address: 'a:1', database: 'd', user: 'u' }),
    moveFrom: () => {},
    witness: undefined,
  }
  const logged: string[] = []
  const durability = new Durability({
    sessions: sessions as unknown as Sessions,
    required: 1,
    clock,
    timeoutMs: TIMEOUT_MS,
    logger: { info: (line: string) => logged.push(line), warn: (line: string) => logged.push(line) } as never,
    clientOf,
  })
  const running = durability.run()
  /** Time passes in steps, and what it has caused happens. */
  const pass = async (ms: number) => {
    for (let done = 0; done <= ms; done += 100) {
      for (let turn = 0; turn < 60; turn += 1) await undefined
      if (done < ms) clock.advance(100)
    }
  }
  return { clock, world, sessions, durability, running, logged, pass }
}

test('it looks every two seconds on two connections, and a close leaves neither connection nor timer', async () => {
  const { clock, world, sessions, durability, running, pass } = aWorld()
  await pass(0)
  assert.equal(durability.whyNoWrites(), undefined)
  assert.deepEqual([world.open, world.commits], [2, 1])
  assert.ok(sessions.witness !== undefined)
  await pass(20_000)
  assert.deepEqual([world.open, world.commits], [2, 11])
  durability.close()
  await running
  await pass(0)
  assert.deepEqual([world.open, clock.taskCount, sessions.witness], [0, 0, undefined])
})

test('standbys that do not apply what is committed stop changes after the timeout; when they do, changes go on', async () => {
  const { world, durability, running, logged, pass } = aWorld()
  await pass(0)
  world.hangs = true
  await pass(2_000)
  assert.equal(durability.whyNoWrites(), undefined)
  await pass(2_000)
  assert.match(String(durability.whyNoWrites()), /do not apply what is committed/)
  assert.match(logged.at(-1)!, /^no change is acknowledged: /)
  // The connections break, and the next ones are answered.
  world.looks = false
  await pass(2_000)
  world.looks = true
  world.hangs = false
  await pass(6_000)
  assert.equal(durability.whyNoWrites(), undefined, 'the commits of the new connection are watched')
  assert.equal(logged.at(-1), 'changes are acknowledged again')
  durability.close()
  await running
})

test('a primary that waits for too few standbys, or has too few, takes no change, and the reason is logged once', async () => {
  const { world, durability, running, logged, pass } = aWorld()
  world.names = ''
  await pass(10_000)
  assert.match(String(durability.whyClosed()?.reason), /waits for no standby and must wait for 1/)
  assert.equal(logged.length, 1)
  world.names = 'ANY 1 (s1)'
  world.standbys = []
  await pass(4_000)
  assert.match(String(durability.whyClosed()?.reason), /has 0 of 1 synchronous standbys/)
  world.standbys = [{ ...STANDBY, is_synchronous: false }]
  await pass(4_000)
  assert.match(String(durability.whyClosed()?.reason), /has 0 of 1 synchronous standbys/)
  durability.close()
  await running
})
