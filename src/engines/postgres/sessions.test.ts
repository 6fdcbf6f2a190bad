import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DatabaseHost } from '../../config/database-url.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { DatabaseProblem } from './problems.ts'
import { type Session, type SessionOptions, settingsOf } from './session.ts'
import { Sessions } from './sessions.ts'
import { Sweep } from './sweep.ts'

const HOSTS: readonly DatabaseHost[] = ['a:1', 'b:1'].map((address) => ({
  address,
  url: `postgres://${address}/d`,
}))
/** How many sessions a connector has at most. */
const SESSIONS_MAX = 16

type FakeSession = { address: string; timeline: number; broken: Error | undefined; isOpen: boolean }

/** Sessions with a database that a test plays. */
function aWorld() {
  const clock = new ManualClock()
  const opened: FakeSession[] = []
  const asked: SessionOptions[] = []
  const world = { problem: undefined as DatabaseProblem | undefined, timeline: 1 }
  const open = async (options: SessionOptions): Promise<Session> => {
    asked.push(options)
    if (world.problem !== undefined) throw world.problem
    const session = {
      address: options.host.address,
      timeline: world.timeline,
      broken: undefined,
      isOpen: true,
      destroy: () => {
        session.isOpen = false
      },
    }
    opened.push(session)
    return session as unknown as Session
  }
  const logger = { info: () => {}, warn: () => {} } as never
  const database = { name: 'd', user: 'u', hosts: HOSTS }
  const sessions = new Sessions({ database, clusterId: 'c', clock, timeoutMs: 1_000, logger, open })
  /** Time passes, and what it has caused happens. */
  const pass = async (ms: number) => {
    clock.advance(ms)
    for (let turn = 0; turn < 50; turn += 1) await undefined
  }
  return {
    clock,
    sessions,
    opened,
    asked,
    world,
    pass,
    openCount: () => opened.filter(({ isOpen }) => isOpen).length,
  }
}

async function acquireAll({ sessions, clock }: ReturnType<typeof aWorld>, count: number): Promise<Session[]> {
  return Promise.all(Array.from({ length: count }, () => sessions.acquire(clock.nowMs() + 1_000)))
}

test('there are at most sixteen sessions, and who waits gets the first one that is free, at once', async () => {
  const it = aWorld()
  const lent = await acquireAll(it, SESSIONS_MAX)
  assert.equal(it.openCount(), SESSIONS_MAX)
  const got: Session[] = []
  for (let count = 0; count < 2; count += 1)
    void it.sessions.acquire(1_000).then((session) => got.push(session))
  await it.pass(0)
  assert.deepEqual([got.length, it.opened.length], [0, SESSIONS_MAX])
  it.sessions.release(lent[3]!)
  await it.pass(0)
  assert.deepEqual(got, [lent[3]])
  lent[5]!.broken = new Error('cut')
  it.sessions.release(lent[5]!)
  await it.pass(0)
  assert.deepEqual([got.length, it.opened.length], [2, SESSIONS_MAX + 1])
  assert.deepEqual(
    [it.sessions.count, it.openCount(), it.sessions.brokenCount],
    [SESSIONS_MAX, SESSIONS_MAX, 1],
  )
  it.sessions.close()
  assert.equal(it.openCount(), 0)
  assert.equal(it.clock.taskCount, 0)
})

test('who waits for a session waits no longer than it may', async () => {
  const it = aWorld()
  await acquireAll(it, SESSIONS_MAX)
  const late = assert.rejects(it.sessions.acquire(300), /All connections to the database are busy/)
  await it.pass(299)
  await it.pass(1)
  await late
  const closed = assert.rejects(it.sessions.acquire(5_000))
  await it.pass(0)
  it.sessions.close()
  await it.pass(0)
  await closed
  assert.equal(it.clock.taskCount, 0)
})

test('a session is used again, unless it is broken or a newer timeline has been seen', async () => {
  const it = aWorld()
  const [first] = await acquireAll(it, 1)
  it.sessions.release(first!)
  const [again] = await acquireAll(it, 1)
  assert.equal(again, first)
  const [other] = await acquireAll(it, 1)
  it.sessions.release(first!)
  it.world.timeline = 2
  other!.broken = new Error('cut')
  it.sessions.release(other!)
  await acquireAll(it, 1)
  const [newer] = await acquireAll(it, 1)
  assert.equal(it.sessions.timeline, 2)
  assert.deepEqual([it.sessions.count, it.openCount()], [2, 2])
  it.sessions.release(newer!)
  it.sessions.release(first!)
  const [last, next] = await acquireAll(it, 2)
  assert.deepEqual(
    [last, next].map((session) => session!.timeline),
    [2, 2],
    'the old primary is asked no more',
  )
  assert.deepEqual([it.sessions.count, it.openCount()], [2, 2])
  assert.deepEqual([last === newer, it.opened[0]!.isOpen], [true, false], 'its session is closed')
  it.sessions.close()
})

test('what cannot be opened is tried again after a pause, at the next host; what only a person can mend is not', async () => {
  const it = aWorld()
  it.world.problem = new DatabaseProblem('elsewhere', 'It is a standby.')
  const lost = assert.rejects(it.sessions.acquire(220), /It is a standby/)
  await it.pass(0)
  for (let count = 0; count < 6; count += 1) await it.pass(50)
  await lost
  const { length } = it.asked
  assert.ok(length >= 4 && length <= 6, `${length} in 220 ms`)
  assert.deepEqual(
    it.asked.slice(0, 3).map(({ host }) => host.address),
    ['a:1', 'b:1', 'a:1'],
  )
  assert.deepEqual([it.asked[0]!.clusterId, it.asked[0]!.timeoutMs], ['c', 1_000])
  it.world.problem = new DatabaseProblem('setup', 'Run init.')
  await assert.rejects(it.sessions.acquire(it.clock.nowMs() + 5_000), /Run init/)
  assert.equal(it.asked.length, length + 1)
  it.sessions.close()
  assert.equal(it.clock.taskCount, 0)
})

test('a session waits for the standbys, and the server itself ends a statement that takes too long', () => {
  const settings = settingsOf(1_500.2).split('; ')
  for (const setting of ['set synchronous_commit = remote_apply', 'set statement_timeout = 1501'])
    assert.ok(settings.includes(setting), setting)
  const lock = /set lock_timeout = (\d+)/.exec(settings.join())?.[1]
  assert.ok(Number(lock) > 0 && Number(lock) < 1_501, `${lock}`)
})

test('the database is swept a minute after each sweep while changes are acknowledged, until that is closed', async () => {
  const it = aWorld()
  let whyNot: string | undefined
  let passes = 0
  const sweep = new Sweep({
    sessions: {
      acquire: async () => {
        passes += 1
        throw new Error('it is busy')
      },
      release: () => {},
      place: () => it.sessions.place(),
    },
    clock: it.clock,
    timeoutMs: 1_000,
    whyNoWrites: () => whyNot,
    logger: { warn: () => {} } as never,
  })
  const running = sweep.run()
  await it.pass(59_999)
  assert.equal(passes, 0)
  await it.pass(1)
  assert.equal(passes, 1)
  whyNot = 'No standby.'
  await it.pass(60_000)
  assert.equal(passes, 1)
  whyNot = undefined
  await it.pass(60_000)
  assert.equal(passes, 2)
  sweep.close()
  await running
  assert.equal(it.clock.taskCount, 0)
})
