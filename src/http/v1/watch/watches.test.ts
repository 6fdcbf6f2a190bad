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
  const left: number[] = []
  const open = (number = 0): PlayedStream => {
    const stream = new PlayedStream()
    const watcher = { close: () => closed.push(number) }
    watches.open(stream as unknown as WatchStream, watcher as unknown as Watcher, () => left.push(number))
    return stream
  }
  return { watches, open, closed, left }
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
  const { open, closed, left } = someWatches()
  const streams = [open(1), open(2)]
  streams[0]!.emit('close')
  assert.deepEqual([closed, left], [[1], [1]])
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

test('a connector has at most 10,000 watches, and one caller half of those that the others leave', () => {
  const { watches } = someWatches()
  const enterAll = (caller: string) => {
    const leave: (() => void)[] = []
    for (let one = watches.enter(caller); one !== undefined; one = watches.enter(caller)) leave.push(one)
    return leave
  }
  const first = enterAll('first')
  assert.equal(first.length, 5_000)
  assert.equal(enterAll('second').length, 2_500)
  for (const leave of first) leave()
  assert.equal(enterAll('third').length, 3_750)
  let count = 2_500 + 3_750
  for (let caller = 0; count < 10_000; caller += 1) count += enterAll(`caller ${caller}`).length
  assert.deepEqual(enterAll('last'), [])
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
