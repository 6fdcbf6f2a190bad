import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ManualClock } from '../testing/manual-clock.ts'
import { sleep } from './clock.ts'

async function isOver(promise: Promise<void>): Promise<boolean> {
  let over = false
  void promise.then(() => {
    over = true
  })
  await turn()
  return over
}

test('a sleep ends when its time has passed, and not before', async () => {
  const clock = new ManualClock()
  const asleep = sleep(100, clock)
  clock.advance(99)
  assert.equal(await isOver(asleep), false)
  clock.advance(1)
  assert.equal(await isOver(asleep), true)
})

test('a sleep ends when its signal is aborted, and leaves no timer and no listener', async () => {
  const clock = new ManualClock()
  const abort = new AbortController()
  const asleep = sleep(100, clock, abort.signal)
  abort.abort()
  assert.equal(await isOver(asleep), true)
  assert.equal(clock.taskCount, 0)
  assert.deepEqual(getEventListeners(abort.signal, 'abort'), [])
})

test('a sleep whose signal is aborted already ends at once', async () => {
  assert.equal(await isOver(sleep(100, new ManualClock(), AbortSignal.abort())), true)
})

test('a sleep that has ended listens to its signal no more', async () => {
  const clock = new ManualClock()
  const { signal } = new AbortController()
  const asleep = sleep(100, clock, signal)
  clock.advance(100)
  assert.equal(await isOver(asleep), true)
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
})
