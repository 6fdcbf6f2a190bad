import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { ManualClock } from '../../testing/manual-clock.ts'
import { SlowDown } from './slow-down.ts'

class FakeSocket {
  isRead = true
  destroyed = false
  resume(): void {}
}

function aSlowDown(clock: ManualClock): SlowDown {
  const set = (isRead: boolean) => (socket: unknown) => void Object.assign(socket as FakeSocket, { isRead })
  return new SlowDown(clock, { hold: set(false), release: set(true) })
}

function aRequest(socket: FakeSocket, closed = true): IncomingMessage {
  return Object.assign(new EventEmitter(), { socket, closed }) as unknown as IncomingMessage
}

test('a connection is not read for a while after a refusal', () => {
  const clock = new ManualClock()
  const slowDown = aSlowDown(clock)
  const socket = new FakeSocket()
  slowDown.refused(aRequest(socket))
  assert.equal(socket.isRead, false)
  clock.advance(1_000)
  assert.equal(socket.isRead, true)
  assert.deepEqual([slowDown.count, clock.taskCount], [0, 0])
})

test('a request whose rest has not arrived is read to its end first', () => {
  const socket = new FakeSocket()
  const slowDown = aSlowDown(new ManualClock())
  const request = aRequest(socket, false)
  slowDown.refused(request)
  assert.equal(socket.isRead, true)
  request.emit('close')
  assert.equal(socket.isRead, false)
})

test('the more connections are refused, the longer each is not read, so refusals have a bounded rate', () => {
  const clock = new ManualClock()
  const slowDown = aSlowDown(clock)
  const sockets = Array.from({ length: 6_000 }, () => new FakeSocket())
  let refusals = 0
  // Every client repeats its request as soon as it is read again.
  for (let ms = 0; ms < 5_000; ms += 10) {
    for (const socket of sockets) {
      if (!socket.isRead) continue
      refusals += 1
      slowDown.refused(aRequest(socket))
    }
    clock.advance(10)
  }
  assert.ok(refusals <= 6 * 6_000, `${refusals}`)
})

test('a connection with many refused requests is not read for longer than others, but not for ever', () => {
  const clock = new ManualClock()
  const slowDown = aSlowDown(clock)
  const [one, many] = [new FakeSocket(), new FakeSocket()]
  for (let count = 0; count < 100; count += 1) slowDown.refused(aRequest(new FakeSocket()))
  slowDown.refused(aRequest(one))
  for (let count = 0; count < 500; count += 1) slowDown.refused(aRequest(many))
  clock.advance(200)
  assert.deepEqual([one.isRead, many.isRead], [true, false])
  clock.advance(11_000)
  assert.equal(many.isRead, true)
})
