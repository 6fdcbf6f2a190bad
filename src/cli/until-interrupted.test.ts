import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { untilInterrupted } from './until-interrupted.ts'

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length

test('work that ends leaves no listener and no timer, however it ends', async () => {
  const { signal } = new AbortController()
  await untilInterrupted(Promise.resolve(), signal)
  await assert.rejects(untilInterrupted(Promise.reject(new Error('lost')), signal), /lost/)
  assert.equal(listeners(signal), 0)

  const controller = new AbortController()
  const before = timers()
  const { promise, resolve } = Promise.withResolvers<void>()
  const waiting = untilInterrupted(promise, controller.signal)
  controller.abort()
  assert.equal(timers(), before + 1)
  resolve()
  await waiting
  await new Promise((done) => setImmediate(done))
  assert.equal(timers(), before)
})

test('after an interrupt, the wait for work that does not end takes a second', async () => {
  const startMs = performance.now()
  await untilInterrupted(new Promise(() => undefined), AbortSignal.abort())
  const tookMs = performance.now() - startMs
  assert.ok(tookMs > 990 && tookMs < 2_500, `${tookMs} ms`)
})
