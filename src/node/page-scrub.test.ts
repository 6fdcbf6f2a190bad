import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { PageScrub } from './page-scrub.ts'

/** A scrub whose checks end when the test says so. */
function aScrub() {
  const clock = new ManualClock()
  const logged: string[] = []
  const checks: PromiseWithResolvers<readonly string[] | undefined>[] = []
  const signals: AbortSignal[] = []
  const log = (_: object, text: string) => void logged.push(text)
  const scrub = new PageScrub({
    check: (signal) => {
      signals.push(signal)
      const check = Promise.withResolvers<readonly string[] | undefined>()
      signal.addEventListener('abort', () => check.resolve(undefined))
      checks.push(check)
      return check.promise
    },
    clock,
    logger: { error: log as never, warn: log as never },
  })
  return { clock, scrub, logged, checks, signals }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

test('one check runs at a time, and the next one begins a minute after it at the earliest', async () => {
  const { clock, scrub, checks } = aScrub()
  scrub.start()
  clock.advance(120_000)
  scrub.start()
  assert.equal(checks.length, 1)
  checks[0]!.resolve([])
  await settle()
  scrub.start()
  assert.equal(checks.length, 2)
  checks[1]!.resolve([])
  await settle()
  clock.advance(59_999)
  scrub.start()
  assert.equal(checks.length, 2)
  clock.advance(1)
  scrub.start()
  assert.equal(checks.length, 3)
})

test('problems are said until a check finds none; a check that fails changes nothing', async () => {
  const { clock, scrub, checks, logged } = aScrub()
  const next = async (end: (check: PromiseWithResolvers<readonly string[] | undefined>) => void) => {
    clock.advance(60_000)
    scrub.start()
    end(checks.at(-1)!)
    await settle()
    return scrub.isDamaged
  }
  assert.equal(await next(({ resolve }) => resolve([])), false)
  assert.deepEqual(logged, [])
  assert.equal(await next(({ resolve }) => resolve(['page 7 is not used'])), true)
  assert.match(logged[0]!, /^the disk has spoiled pages of the database/)
  assert.equal(await next(({ reject }) => reject(new Error('busy'))), true)
  assert.match(logged[1]!, /could not be checked/)
  assert.equal(await next(({ resolve }) => resolve([])), false)
  assert.equal(logged.length, 2)
})

test('a scrub that is closed aborts its check, waits for it, and starts no other one', async () => {
  const { clock, scrub, checks, signals, logged } = aScrub()
  scrub.start()
  await scrub.close()
  assert.equal(signals[0]!.aborted, true)
  clock.advance(60_000)
  scrub.start()
  await scrub.close()
  assert.equal(checks.length, 1)
  assert.deepEqual(logged, [])
})
