import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../../testing/manual-clock.ts'
import { ENTRY_RANGE, MEMBER_RANGE, memberKey } from './member-keys.ts'
import { MemberSweep, type MemberSweepOptions, SWEEP_LIMITS } from './sweep.ts'

const GRACE_MS = 8_000

/** A sweep over doubles of the registers. */
function aSweep(clock: ManualClock, doubles: Readonly<{ walk: unknown; protocol: unknown }>): MemberSweep {
  return new MemberSweep({
    ...(doubles as Pick<MemberSweepOptions, 'walk' | 'protocol'>),
    isReady: () => true,
    graceMs: () => GRACE_MS,
    clock,
    random: () => 0.5,
    limits: SWEEP_LIMITS,
    logger: { info: () => {}, debug: () => {} } as never,
  })
}

/** Registers of members of which all are left over; a walk over them may fail. */
function aWorld() {
  const clock = new ManualClock()
  const key = memberKey({ groupId: 'g', life: 'l', memberId: 'm' })
  const world = { isFailing: false, walkCount: 0, held: [key], swept: [] as string[] }
  const walk = {
    page: async ({ start, end }: { start: string; end: string }) => {
      if (start === MEMBER_RANGE.start) world.walkCount += 1
      if (world.isFailing && end === ENTRY_RANGE.end) return { kind: 'not_applied', reason: 'too few nodes' }
      const values = world.held
        .filter((each) => each >= start && each < end)
        .map((each) => ({ key: each, value: '' }))
      return { kind: 'decided', result: { values, after: undefined } }
    },
  }
  const protocol = {
    lifeOf: async () => ({ kind: 'decided', result: undefined }),
    findLeftover: async (each: string) => ({ key: each, waitsFor: 'the end of the life l' }),
    sweep: async ({ key: each }: { key: string }) => {
      world.swept.push(each)
      world.held = world.held.filter((other) => other !== each)
      return true
    },
  }
  const sweep = aSweep(clock, { walk, protocol })
  const running = sweep.run()
  /** One walk, and the pause after it. */
  const turn = async () => {
    for (let count = 0; count < 100; count += 1) await undefined
    clock.advance(GRACE_MS / 8)
    for (let count = 0; count < 100; count += 1) await undefined
  }
  return { clock, world, sweep, running, turn }
}

test('what is left over is removed when it was seen for the grace time, and counted', async () => {
  const { clock, world, sweep, running, turn } = aWorld()
  for (let count = 0; count < 8; count += 1) {
    await turn()
    assert.deepEqual(world.swept, count < 7 ? [] : world.swept)
  }
  await turn()
  assert.equal(world.swept.length, 1)
  await turn()
  assert.deepEqual(sweep.report, { sweptCount: 1, waitingCount: 0 })
  sweep.close()
  await running
  assert.equal(clock.taskCount, 0)
})

test('a walk that does not come to its end neither forgets what waits nor counts as seen', async () => {
  const { world, sweep, running, turn } = aWorld()
  await turn()
  assert.equal(sweep.report.waitingCount, 1)
  const { held } = world
  world.isFailing = true
  world.held = []
  for (let count = 0; count < 3; count += 1) await turn()
  assert.equal(sweep.report.waitingCount, 1, 'it may be there still')
  world.isFailing = false
  world.held = held
  for (let count = 0; count < 6; count += 1) await turn()
  assert.equal(world.swept.length, 1, 'its grace time has gone on')
  world.held = []
  await turn()
  assert.equal(sweep.report.waitingCount, 0)
  sweep.close()
  await running
})

/** A sweep of three pages. Reading the life of a group takes its time. */
function aLongWalk(readMs: number) {
  const clock = new ManualClock()
  const asked: { atMs: number; limit: number; signal: AbortSignal }[] = []
  const key = memberKey({ groupId: 'g', life: 'l', memberId: 'm' })
  const values = Array.from({ length: 256 }, () => ({ key, value: '' }))
  const walk = {
    page: async ({ limit, signal }: { limit: number; signal: AbortSignal }) => {
      asked.push({ atMs: clock.nowMs(), limit, signal })
      return { kind: 'decided', result: { values, after: asked.length % 3 === 0 ? undefined : key } }
    },
  }
  const protocol = {
    lifeOf: async () => {
      clock.skip(readMs)
      return { kind: 'decided', result: undefined }
    },
    findLeftover: async () => undefined,
  }
  const sweep = aSweep(clock, { walk, protocol })
  const pass = async (ms: number) => {
    for (let passedMs = 0; passedMs <= ms; passedMs += 1) {
      for (let count = 0; count < 300; count += 1) await undefined
      if (passedMs < ms) clock.advance(1)
    }
  }
  return { clock, asked, sweep, running: sweep.run(), pass }
}

for (const [what, readMs, pauseMs] of [
  ['no more registers are looked at in a second than the limit', 0, 51],
  ['the nodes rest for as long as a page has taken', 200, 199],
] as const) {
  test(`${what}, page by page`, async () => {
    const { clock, asked, sweep, running, pass } = aLongWalk(readMs)
    await pass(pauseMs)
    assert.equal(asked.length, 1)
    await pass(1)
    assert.equal(asked.length, 2)
    const [{ limit, signal }] = asked as [(typeof asked)[0]]
    assert.deepEqual([limit, signal.aborted], [256, false])
    sweep.close()
    await running
    assert.deepEqual([clock.taskCount, signal.aborted], [0, true])
  })
}

test('a walk that takes longer than the grace time removes the rest of a life that it saw end', async () => {
  const clock = new ManualClock()
  const keys = ['a', 'b', 'c'].map((memberId) => memberKey({ groupId: 'g', life: 'l', memberId }))
  const swept: string[] = []
  const walk = {
    page: async ({ start }: { start: string }) => {
      const key = keys.find((each) => each >= start)
      const values = key === undefined ? [] : [{ key, value: '' }]
      return { kind: 'decided', result: { values, after: key === keys.at(-1) ? undefined : key } }
    },
  }
  const protocol = {
    lifeOf: async () => {
      clock.skip(GRACE_MS / 2)
      return { kind: 'decided', result: undefined }
    },
    findLeftover: async (key: string) => ({ key, waitsFor: 'the end of the life l' }),
    sweep: async ({ key }: { key: string }) => {
      swept.push(key)
      return true
    },
  }
  const sweep = aSweep(clock, { walk, protocol })
  const running = sweep.run()
  for (let page = 0; page < 3 && swept.length === 0; page += 1) {
    for (let count = 0; count < 100; count += 1) await undefined
    clock.advance(GRACE_MS / 2)
  }
  assert.equal(swept[0], keys[2], 'the grace time began when the first key was seen')
  sweep.close()
  await running
})
