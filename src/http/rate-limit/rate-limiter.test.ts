import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { RateLimiter } from './rate-limiter.ts'

function aLimiter(perSecond: number) {
  const clock = new ManualClock()
  return { clock, limiter: new RateLimiter({ perSecond, nowMs: () => clock.nowMs() }) }
}

test('a caller may send a second of requests at once, and then as many as time allows', () => {
  const { clock, limiter } = aLimiter(10)
  const allowed = () => limiter.take('a').retryAfterSeconds === undefined
  assert.equal(Array.from({ length: 30 }, allowed).filter(Boolean).length, 10)
  clock.advance(100)
  assert.deepEqual([allowed(), allowed()], [true, false])
  clock.advance(550)
  assert.equal(Array.from({ length: 30 }, allowed).filter(Boolean).length, 5)
})

test('a caller that is refused all the time gets its rate, not nothing', () => {
  const { clock, limiter } = aLimiter(7)
  let allowed = 0
  for (let ms = 0; ms < 10_000; ms += 10) {
    if (limiter.take('a').retryAfterSeconds === undefined) allowed += 1
    clock.advance(10)
  }
  assert.ok(allowed >= 70 && allowed <= 77, `${allowed}`)
})

test('callers do not use up what others have', () => {
  const { limiter } = aLimiter(1)
  assert.equal(limiter.take('a').retryAfterSeconds, undefined)
  assert.equal(limiter.take('a').retryAfterSeconds, 1)
  assert.equal(limiter.take('b').retryAfterSeconds, undefined)
})

test('what is left, and when all is left again, is told', () => {
  const { clock, limiter } = aLimiter(4)
  assert.deepEqual(limiter.take('a'), { remaining: 3, resetSeconds: 1, retryAfterSeconds: undefined })
  assert.deepEqual(limiter.take('a'), { remaining: 2, resetSeconds: 1, retryAfterSeconds: undefined })
  clock.advance(250)
  assert.deepEqual(limiter.take('a'), { remaining: 2, resetSeconds: 1, retryAfterSeconds: undefined })
  limiter.take('a')
  limiter.take('a')
  assert.deepEqual(limiter.take('a'), { remaining: 0, resetSeconds: 1, retryAfterSeconds: 1 })
})

test('a bounded number of callers is remembered: who was seen last', () => {
  const { limiter } = aLimiter(1)
  for (const caller of ['first', 'second']) limiter.take(caller)
  for (let caller = 0; caller < 65_535; caller += 1) limiter.take(`c${caller}`)
  assert.notEqual(limiter.take('second').retryAfterSeconds, undefined)
  assert.equal(limiter.take('first').retryAfterSeconds, undefined, 'it was forgotten')
})
