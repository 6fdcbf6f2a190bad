/** What clients are told while servers, backends and connections of the database fail. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { assertLinearizable, workAtOnce } from '../../src/engines/contract/linearizable.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { TcpProxy } from '../cluster/tcp-proxy.ts'
import { until } from '../cluster/waiting.ts'
import { cutAtBytes } from './cut-bytes.ts'
import { anEngine, emptyDatabase, sharedTrio } from './shared-trio.ts'
import type { Trio } from './trio.ts'
import { Workload } from './workload.ts'

leaveNothing()

const NOW = '2026-01-01T00:00:00.000Z'
const MINUTE_MS = 60_000

/** How long backends are stopped at most. */
const STOPPED_MS = 5_000

const create = (groupId: string) => createGroup({ groupId, now: NOW, author: AUTHOR, incarnation: groupId })

/** Waits until the clients have done so much more. */
async function untilMore(workload: Workload, count: number): Promise<void> {
  const before = workload.count
  await until(`${count} more groups`, MINUTE_MS, () => workload.count >= before + count)
}

/** Whether the clients have done so much more within so many milliseconds. */
async function isMoreIn(ms: number, workload: Workload, count: number): Promise<boolean> {
  const before = workload.count
  const endMs = performance.now() + ms
  while (workload.count < before + count) {
    if (performance.now() > endMs) return false
    await sleep(20)
  }
  return true
}

/** How often the row of a group was written. `undefined`: there is no such row. */
async function generationOf(trio: Trio, database: string, groupId: string): Promise<string | undefined> {
  const [row] = await trio.primary.query<{ generation: string }>(
    'select generation from cohort.register where key = $1',
    [`group/${groupId}`],
    database,
  )
  return row?.generation
}

test('a backend that is killed ends all sessions, and no acknowledged write is lost', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]))
  const { engine } = started
  await using workload = new Workload(engine.registry, 'kill-')
  workload.start()
  for (let round = 0; round < 2; round += 1) {
    await untilMore(workload, 40)
    await trio.primary.crash(database)
  }
  await untilMore(workload, 40)
  const { unreadable, done } = await workload.end()
  assert.equal(unreadable, 0)
  assert.ok(done >= 120, `${done} groups`)
  await workload.check(engine.registry)
  await trio.untilSynchronous(2)
})

test('backends that stop are given up, and what they go on with later changes nothing', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]), { timeoutMs: 1_000 })
  const { engine } = started
  await using workload = new Workload(engine.registry, 'stop-')
  workload.start()
  let passed = 0
  for (let round = 0; round < 6 && passed < 1; round += 1) {
    await untilMore(workload, 20)
    const backends = await trio.primary.backends(database)
    for (const backend of backends) process.kill(backend, 'SIGSTOP')
    // A backend that stops while it holds a lock of the server stops all others, new ones too.
    const isPassed = await isMoreIn(STOPPED_MS, workload, 20)
    for (const backend of backends) process.kill(backend, 'SIGCONT')
    if (isPassed) passed += 1
  }
  assert.ok(passed > 0, 'the engine goes on while its backends are stopped')
  await workload.end()
  await workload.check(engine.registry)
})

test('a change whose answer was lost is found, and is not made twice', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using proxy = await TcpProxy.start(trio.primary.port)
  await using started = await anEngine(trio.url(database, [proxy]))
  const { engine } = started
  assert.equal((await engine.registry.change('warm', create('warm'))).kind, 'done')
  proxy.blackHole('toClient')
  const change = engine.registry.change('lost', create('lost'))
  await until('the group is there', MINUTE_MS, async () => {
    return (await generationOf(trio, database, 'lost')) !== undefined
  })
  proxy.cut()
  proxy.heal()
  const outcome = await change
  assert.ok(outcome.kind === 'done' && outcome.value.kind === 'changed', JSON.stringify(outcome))
  assert.equal(await generationOf(trio, database, 'lost'), '1')
})

test('a change that never reached the server is fenced off before it is made again', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using proxy = await TcpProxy.start(trio.primary.port)
  await using started = await anEngine(trio.url(database, [proxy]))
  const { engine } = started
  assert.equal((await engine.registry.change('warm', create('warm'))).kind, 'done')
  proxy.blackHole('toServer')
  const change = engine.registry.change('late', create('late'))
  await sleep(50)
  proxy.cut()
  proxy.heal()
  const outcome = await change
  assert.ok(outcome.kind === 'done' && outcome.value.kind === 'changed', JSON.stringify(outcome))
  assert.equal(await generationOf(trio, database, 'late'), '2', 'the tombstone of the fence, and the change')
})

test('a change is made once, wherever the connection is cut in its statement or in its answer', async (t) => {
  const trio = await sharedTrio()
  // At each byte: test/long/postgres.test.ts.
  const statements = await cutAtBytes(trio, 'toServer', 139)
  const answers = await cutAtBytes(trio, 'toClient', 13)
  t.diagnostic(`cut ${statements} statements and ${answers} answers`)
  assert.ok(statements >= 5 && answers >= 5, `${statements} statements, ${answers} answers`)
})

test('standbys that stop make changes wait, and then be refused, without one that is told to be made', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]), { timeoutMs: 1_000 })
  const { registry } = started.engine
  assert.equal((await registry.change('before', create('before'))).kind, 'done')
  const { standbys } = trio
  const outcomes = new Map<string, string>()
  try {
    for (const standby of standbys) await standby.signalAll('SIGSTOP')
    await until('a change is refused at once', MINUTE_MS, async () => {
      const groupId = `stopped-${outcomes.size}`
      const outcome = await registry.change(groupId, create(groupId))
      outcomes.set(groupId, outcome.kind)
      return outcome.kind === 'not_applied' && /do not apply what is committed/.test(outcome.reason)
    })
    assert.ok([...outcomes.values()].every((kind) => kind === 'unknown' || kind === 'not_applied'))
    assert.equal((await registry.read('before')).kind, 'done')
  } finally {
    for (const standby of standbys) await standby.signalAll('SIGCONT')
  }
  await trio.untilSynchronous(2)
  await until('changes are made', MINUTE_MS, async () => {
    return (await registry.change('after', create('after'))).kind === 'done'
  })
  for (const [groupId, kind] of outcomes) {
    const read = await registry.read(groupId)
    assert.ok(read.kind === 'done', JSON.stringify(read))
    if (kind === 'not_applied') assert.equal(read.value, undefined, groupId)
  }
})

test('connections that are cut again and again lose no acknowledged write, and keep one order', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using proxy = await TcpProxy.start(trio.primary.port)
  await using started = await anEngine(trio.url(database, [proxy]))
  const { engine } = started
  await using workload = new Workload(engine.registry, 'cut-')
  workload.start()
  let isOver = false
  const working = workAtOnce(engine.registry, 'one-of-all', { clients: 4, stepsEach: 20 }).finally(() => {
    isOver = true
  })
  for (let round = 0; !isOver; round += 1) {
    // Each time after so much work, so that it makes progress however slow the machine is.
    const before = workload.count
    await until('some work is done', MINUTE_MS, () => isOver || workload.count >= before + 3)
    await sleep((round * 7) % 20)
    proxy.cut()
    proxy.heal()
  }
  const history = await working
  await workload.end()
  assertLinearizable(history)
  await workload.check(engine.registry)
})

test('without standbys no change is acknowledged, reads go on, and the status says why', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database, [trio.primary]), { timeoutMs: 1_000 })
  const { engine } = started
  assert.equal((await engine.registry.change('before', create('before'))).kind, 'done')
  const { standbys } = trio
  try {
    for (const standby of standbys) await standby.end('SIGINT')
    const waiting = await engine.registry.change('waiting', create('waiting'))
    assert.ok(waiting.kind === 'unknown' || waiting.kind === 'not_applied', JSON.stringify(waiting))
    await until('changes are refused', MINUTE_MS, async () => {
      const outcome = await engine.registry.change('refused', create('refused'))
      return outcome.kind === 'not_applied' && /has 0 of 1 synchronous standbys: start/.test(outcome.reason)
    })
    assert.equal(engine.status.describe().verdict, 'unavailable')
    assert.match(engine.status.describe().reason, /0 of 1 synchronous standbys/)
    const read = await engine.registry.read('before')
    assert.ok(read.kind === 'done' && read.value?.version === 1, JSON.stringify(read))
    assert.ok(engine.readiness.isReady())
  } finally {
    for (const standby of standbys) if (!standby.isRunning) await standby.start()
  }
  await trio.untilSynchronous(2)
  await until('changes are made', MINUTE_MS, async () => {
    return (await engine.registry.change('after', create('after'))).kind === 'done'
  })
})

test('after a promotion, connectors find the new primary, and no acknowledged write is lost', async () => {
  const trio = await sharedTrio()
  const database = await emptyDatabase(trio)
  await using started = await anEngine(trio.url(database))
  const { engine } = started
  const { timeline } = engine.status.describe().database!
  await using workload = new Workload(engine.registry, 'promote-')
  workload.start()
  await untilMore(workload, 60)
  const old = await trio.failOver()
  await untilMore(workload, 100)
  const { done } = await workload.end()
  assert.ok(done > 100, `${done} groups`)
  await workload.check(engine.registry)
  await until('the status shows the new primary', MINUTE_MS, () => {
    return engine.status.describe().database?.primary === trio.primary.address
  })
  assert.equal(engine.status.describe().database?.timeline, timeline! + 1)
  await trio.rejoin(old)
})
