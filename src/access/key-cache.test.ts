import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Outcome } from '../group/registry.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import type { ApiKey } from './api-key.ts'
import { type FailedLookup, KEY_CACHE_LIMITS, KeyCache, type Lookup } from './key-cache.ts'

const KEY: ApiKey = {
  keyId: 'k7Gh3abc',
  name: 'ci',
  role: 'writer',
  hash: 'ab'.repeat(32),
  createdAt: '2026-01-01T00:00:00.000Z',
  createdBy: 'anonymous:everyone',
}

/** A store whose reads end when the test says so. */
class SlowStore {
  readonly asked: string[] = []
  #waiting: ((outcome: Outcome<ApiKey | undefined>) => void)[] = []

  read(keyId: string): Promise<Outcome<ApiKey | undefined>> {
    this.asked.push(keyId)
    return new Promise((resolve) => this.#waiting.push(resolve))
  }

  /** Ends all reads that are under way, and lets their answers arrive. */
  async answer(outcome: Outcome<ApiKey | undefined>): Promise<void> {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resolve of waiting) resolve(outcome)
    for (let turn = 0; turn < 5; turn += 1) await undefined
  }
}

const FOUND = { kind: 'done', value: KEY } as const
const NONE = { kind: 'done', value: undefined } as const
const FAILED = { kind: 'not_applied', reason: 'too few nodes answered in time' } as const

function world(limits = KEY_CACHE_LIMITS) {
  const store = new SlowStore()
  const clock = new ManualClock()
  const cache = new KeyCache(store, clock, limits)
  /** Whether the cache answers at once with this key. */
  const knows = (keyId: string) => {
    const found = cache.find(keyId)
    return found instanceof Promise ? 'asks' : found.key === undefined ? 'none' : 'key'
  }
  return { store, clock, cache, knows }
}

test('many requests with one key ask the cluster once, and for a second not again', async () => {
  const { store, clock, cache, knows } = world({ ...KEY_CACHE_LIMITS, renewAgeMs: 2_000 })
  const finds = Array.from({ length: 50 }, () => cache.find('k7Gh3abc'))
  await store.answer(FOUND)
  for (const lookup of await Promise.all(finds)) assert.equal((lookup as Lookup).key?.caller.name, 'ci')
  clock.advance(1_000)
  assert.equal(knows('k7Gh3abc'), 'key')
  assert.equal(store.asked.length, 1)
  clock.advance(1)
  assert.equal(knows('k7Gh3abc'), 'asks')
})

test('the age of an answer counts from the question, so a revocation counts a second after it at the latest', async () => {
  const { store, clock, knows } = world()
  assert.equal(knows('k7Gh3abc'), 'asks')
  // The answer was true at the start of the read, and the key may have been revoked since.
  clock.advance(900)
  await store.answer(FOUND)
  assert.equal(knows('k7Gh3abc'), 'key')
  clock.advance(101)
  assert.equal(knows('k7Gh3abc'), 'asks')
})

test('a key in use is renewed while it still counts, so that no request waits', async () => {
  const { store, clock, knows } = world()
  void knows('k7Gh3abc')
  await store.answer(FOUND)
  for (let round = 1; round <= 10; round += 1) {
    clock.advance(500)
    assert.equal(knows('k7Gh3abc'), 'key')
    assert.equal(store.asked.length, 1 + round)
    await store.answer(FOUND)
  }
  clock.advance(500)
  assert.equal(knows('k7Gh3abc'), 'key')
  await store.answer(NONE)
  assert.equal(knows('k7Gh3abc'), 'none')
})

test('without a quorum an old answer does not count, and the failure is not remembered', async () => {
  const { store, clock, cache, knows } = world()
  void knows('k7Gh3abc')
  await store.answer(FOUND)
  clock.advance(1_001)
  const late = cache.find('k7Gh3abc')
  await store.answer(FAILED)
  assert.deepEqual(await late, { failure: 'too few nodes answered in time' })
  const next = cache.find('k7Gh3abc')
  await store.answer(FOUND)
  assert.equal(((await next) as Lookup).key?.caller.id, 'k7Gh3abc')
})

test('an id that is no key is remembered too, and a new key with it is found within a second', async () => {
  const { store, clock, knows } = world()
  void knows('unknown1')
  await store.answer(NONE)
  for (let request = 0; request < 100; request += 1) assert.equal(knows('unknown1'), 'none')
  assert.equal(store.asked.length, 1)
  clock.advance(1_001)
  assert.equal(knows('unknown1'), 'asks')
})

test('somebody who tries many ids pushes out no key that is in use', async () => {
  const { store, knows } = world({ ...KEY_CACHE_LIMITS, entriesMax: 10, strangersMax: 1_000 })
  void knows('k7Gh3abc')
  await store.answer(FOUND)
  for (let stranger = 0; stranger < 200; stranger += 1) void knows(`s${stranger}`)
  await store.answer(NONE)
  assert.equal(knows('k7Gh3abc'), 'key')
  assert.equal(knows('s199'), 'none')
  assert.equal(knows('s0'), 'asks')
})

test('only so many unknown ids are looked up at a time; the lookups of keys in use go on', async () => {
  const { store, clock, cache } = world({ ...KEY_CACHE_LIMITS, strangersMax: 3 })
  void cache.find('k7Gh3abc')
  await store.answer(FOUND)
  clock.advance(1_001)
  for (const keyId of ['s1', 's2', 's3']) void cache.find(keyId)
  assert.deepEqual(await cache.find('s4'), { failure: 'too many unknown API keys are being checked' })
  const own = cache.find('k7Gh3abc')
  assert.ok(own instanceof Promise)
  assert.deepEqual(store.asked, ['k7Gh3abc', 's1', 's2', 's3', 'k7Gh3abc'])
  await store.answer(NONE)
  void cache.find('s4')
  assert.equal(store.asked.at(-1), 's4')
})

test('an id that is no key stays so while too many unknown ids are looked up', async () => {
  const { store, clock, cache, knows } = world({ ...KEY_CACHE_LIMITS, strangersMax: 1 })
  void knows('revoked1')
  await store.answer(NONE)
  clock.advance(1_001)
  void cache.find('s1')
  assert.equal(((await cache.find('revoked1')) as Lookup).key, undefined)
  assert.deepEqual(store.asked, ['revoked1', 's1'])
})

test('a question that has waited for a second is not joined, and its late answer does not count any more', async () => {
  const clock = new ManualClock()
  const answers: ((outcome: Outcome<ApiKey | undefined>) => void)[] = []
  const read = () => new Promise<Outcome<ApiKey | undefined>>((resolve) => answers.push(resolve))
  const cache = new KeyCache({ read }, clock)
  const first = cache.find('k7Gh3abc')
  clock.advance(1_000)
  assert.equal(cache.find('k7Gh3abc'), first)
  clock.advance(1)
  // The key may have been revoked since the first question.
  const second = cache.find('k7Gh3abc')
  assert.equal(answers.length, 2)
  answers[1]!(NONE)
  assert.equal(((await second) as Lookup).key, undefined)
  answers[0]!(FOUND)
  assert.equal(((await first) as Lookup).key, undefined)
  assert.equal((cache.find('k7Gh3abc') as Lookup).key, undefined)
})

/** How a read goes: it lasts so many steps, shows what was true after some of them, and may fail. */
const READ = fc.record({
  steps: fc.nat(60),
  shownAt: fc.double({ min: 0, max: 1, noNaN: true }),
  fails: fc.boolean(),
})
const STEP_MS = 50
const STEPS = 100

test('however long nodes take and whenever they cannot be reached: no request that arrives more than a second after a revocation is let in', async () => {
  let lateRequests = 0
  let refused = 0
  await fc.assert(
    fc.asyncProperty(
      fc.infiniteStream(READ),
      fc.array(fc.boolean(), { minLength: STEPS, maxLength: STEPS }),
      fc.nat(STEPS / 2),
      async (reads, asks, revokedAt) => {
        const clock = new ManualClock()
        const read = () => {
          const { value: plan } = reads.next() as {
            value: { steps: number; shownAt: number; fails: boolean }
          }
          let shown: Outcome<ApiKey | undefined>
          // A revocation is acknowledged in its step, before the requests of that step.
          clock.after(Math.floor(plan.steps * plan.shownAt) * STEP_MS, () => {
            shown = clock.nowMs() < revokedAt * STEP_MS ? FOUND : NONE
          })
          return new Promise<Outcome<ApiKey | undefined>>((resolve) => {
            clock.after(plan.steps * STEP_MS, () => resolve(plan.fails ? FAILED : shown))
          })
        }
        const cache = new KeyCache({ read }, clock)
        const found: Promise<void>[] = []
        for (let step = 0; step < STEPS; step += 1) {
          const arrivedAtMs = clock.nowMs()
          if (asks[step]) {
            const judge = (lookup: Lookup | FailedLookup) => {
              if (arrivedAtMs <= revokedAt * STEP_MS + 1_000) return
              lateRequests += 1
              if ('failure' in lookup) return
              refused += 1
              assert.equal(lookup.key, undefined, `let in at ${arrivedAtMs} ms`)
            }
            found.push(Promise.resolve(cache.find('k7Gh3abc')).then(judge))
          }
          clock.advance(STEP_MS)
          for (let turn = 0; turn < 6; turn += 1) await undefined
        }
        clock.advance(60 * STEP_MS)
        await Promise.all(found)
      },
    ),
  )
  assert.ok(refused > 100 && lateRequests > refused, `${refused} of ${lateRequests} were refused`)
})
