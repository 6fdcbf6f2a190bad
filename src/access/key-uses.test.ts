import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from '../group/registry.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { ApiKey, KeyCommand, KeyDecision } from './api-key.ts'
import { KeyUses } from './key-uses.ts'

const START_MS = Date.parse('2026-01-01T00:00:00.000Z')
const MINUTE_MS = 60_000

/** A store with one key, which counts how often it was asked to change it. */
function aWorld() {
  const clock = new ManualClock()
  const world = {
    clock,
    key: undefined as ApiKey | undefined,
    failure: undefined as Exclude<Outcome<never>, { kind: 'done' }> | undefined,
    changeCount: 0,
    change: async (_keyId: string, command: KeyCommand): Promise<Outcome<KeyDecision>> => {
      world.changeCount += 1
      if (world.failure !== undefined) return world.failure
      const decision = command(world.key)
      if (decision.kind === 'changed') world.key = decision.key
      return { kind: 'done', value: decision }
    },
    /** Time passes, and what it has caused happens. */
    pass: async (ms: number) => {
      clock.advance(ms)
      for (let turn = 0; turn < 20; turn += 1) await undefined
    },
  }
  world.key = {
    keyId: 'k7Gh3abc',
    name: 'ci',
    role: 'reader',
    hash: 'ab'.repeat(32),
    createdAt: '2026-01-01T00:00:00.000Z',
    createdBy: 'anonymous:everyone',
  }
  const uses = new KeyUses(world, { clock, logger: { debug: () => {} } as never })
  return { world, uses, running: uses.run() }
}

/** A use of the key at a time, as a connector that knows the stored use reports it. */
function use(uses: KeyUses, { key, clock }: ReturnType<typeof aWorld>['world']): void {
  const lastUsedAt = key?.lastUsedAt
  uses.note(
    'k7Gh3abc',
    lastUsedAt === undefined ? -Infinity : Date.parse(lastUsedAt),
    START_MS + clock.nowMs(),
  )
}

test('many uses of a key cost one write in ten minutes', async () => {
  const { world, uses } = aWorld()
  for (let minute = 0; minute < 20; minute += 1) {
    for (let request = 0; request < 1_000; request += 1) use(uses, world)
    await world.pass(MINUTE_MS)
  }
  assert.ok(world.changeCount <= 3, `${world.changeCount} writes in 20 minutes`)
  const lateMs = START_MS + world.clock.nowMs() - Date.parse(world.key!.lastUsedAt!)
  assert.ok(lateMs <= 12 * MINUTE_MS, `${lateMs} ms late`)
})

test('no use is written in the request itself', async () => {
  const { world, uses } = aWorld()
  use(uses, world)
  await world.pass(0)
  assert.equal(world.changeCount, 0)
})

test('a key that was revoked since stays revoked', async () => {
  const { world, uses } = aWorld()
  use(uses, world)
  world.key = undefined
  await world.pass(MINUTE_MS)
  assert.equal(world.changeCount, 1)
  assert.equal(world.key, undefined)
})

test('a use that cannot be written is left out, and the next one is written', async () => {
  const { world, uses } = aWorld()
  world.failure = { kind: 'not_applied', reason: 'too few nodes answered in time' }
  use(uses, world)
  await world.pass(MINUTE_MS)
  assert.equal(world.key?.lastUsedAt, undefined)
  world.failure = undefined
  use(uses, world)
  await world.pass(MINUTE_MS)
  assert.equal(world.key?.lastUsedAt, '2026-01-01T00:01:00.000Z')
})

test('after its close it ends, and leaves no timer', async () => {
  const { world, uses, running } = aWorld()
  use(uses, world)
  uses.close()
  await running
  assert.deepEqual([world.changeCount, world.clock.taskCount], [0, 0])
})

test('a round writes the uses of a hundred keys, and the next rounds those of the others', async () => {
  const { world, uses } = aWorld()
  for (let count = 0; count < 250; count += 1) uses.note(`k${count}`, Number.NEGATIVE_INFINITY, START_MS)
  const written = []
  for (let round = 0; round < 4; round += 1) {
    await world.pass(30_000)
    // Each write takes some turns.
    for (let turn = 0; turn < 2_000; turn += 1) await undefined
    written.push(world.changeCount)
  }
  assert.deepEqual(written, [100, 200, 250, 250])
  uses.close()
})
