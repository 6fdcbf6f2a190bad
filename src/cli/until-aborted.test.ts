import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { test } from 'node:test'
import { untilAborted } from './until-aborted.ts'

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length

test('what settles in time settles as it would, and leaves no listener', async () => {
  const { signal } = new AbortController()
  assert.equal(await untilAborted(Promise.resolve(7), signal), 7)
  await assert.rejects(untilAborted(Promise.reject(new Error('lost')), signal), /lost/)
  await undefined
  assert.equal(listeners(signal), 0)
})

test('an abort ends the wait with its reason, and a failure that comes later is nobody’s', async () => {
  const controller = new AbortController()
  const late = Promise.withResolvers<never>()
  const waiting = untilAborted(late.promise, controller.signal)
  controller.abort(new Error('stopped'))
  await assert.rejects(waiting, /stopped/)
  late.reject(new Error('late'))
  await assert.rejects(untilAborted(Promise.reject(new Error('late')), controller.signal), /stopped/)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(listeners(controller.signal), 0)
})
