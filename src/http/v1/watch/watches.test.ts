import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { WatchStream } from './watch-stream.ts'
import type { Watcher } from './watcher.ts'
import { Watches } from './watches.ts'

const MINUTE_MS = 60_000

/** A stream to a client that ends when it is told to, and closes when the test says so. */
class PlayedStream extends EventEmitter {
  endCount = 0

  end(): void {
    this.endCount += 1
  }
}

function someWatches() {
  const watches = new Watches({} as never, {} as never)
  const closed: number[] = []
  const open = (number = 0): PlayedStream => {
    const stream = new PlayedStream()
    const watcher = { close: () => closed.push(number) }
    watches.open(stream as unknown as WatchStream, watcher as unknown as Watcher)
    return stream
  }
  return { watches, open, closed }
}

test('a watch ends after fifteen minutes, so that its client shows its credentials again', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { open } = someWatches()
  const stream = open()
  t.mock.timers.tick(15 * MINUTE_MS - 1)
  assert.equal(stream.endCount, 0)
  t.mock.timers.tick(1)
  assert.equal(stream.endCount, 1)
})

test('a watch whose client has left leaves nothing: neither its watcher nor its timer', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { open, closed } = someWatches()
  const streams = [open(1), open(2)]
  streams[0]!.emit('close')
  assert.deepEqual(closed, [1])
  t.mock.timers.tick(15 * MINUTE_MS)
  assert.deepEqual(
    streams.map(({ endCount }) => endCount),
    [0, 1],
  )
})

test('the timer of a watch does not keep the process running', (t) => {
  const set = t.mock.method(globalThis, 'setTimeout')
  const { open } = someWatches()
  const stream = open()
  assert.equal(set.mock.calls[0]!.result!.hasRef(), false)
  stream.emit('close')
})

test('a connector has at most 10,000 watches, and takes one more when one has ended', (t) => {
  const timer = { unref: () => timer }
  t.mock.method(globalThis, 'setTimeout', () => timer)
  t.mock.method(globalThis, 'clearTimeout', () => undefined)
  const { watches, open } = someWatches()
  const streams = Array.from({ length: 9_999 }, (_, number) => open(number))
  assert.equal(watches.isFull, false)
  open()
  assert.equal(watches.isFull, true)
  streams[0]!.emit('close')
  assert.equal(watches.isFull, false)
})

test('a close ends all watches, also one that begins later, and the hub when the last is gone', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { watches, open } = someWatches()
  const closeHub = t.mock.method(watches.hub, 'close', () => undefined)
  const first = open()
  watches.close()
  const late = open()
  assert.deepEqual([first.endCount, late.endCount, closeHub.mock.callCount()], [1, 1, 0])
  first.emit('close')
  assert.equal(closeHub.mock.callCount(), 0)
  late.emit('close')
  assert.equal(closeHub.mock.callCount(), 1)
  const idle = someWatches()
  const closeIdle = t.mock.method(idle.watches.hub, 'close', () => undefined)
  idle.watches.close()
  assert.equal(closeIdle.mock.callCount(), 1)
})
