import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Server } from 'node:net'
import { test } from 'node:test'
import { ConnectionLimit } from '../../process/connection-limit.ts'
import { liveCount } from '../../testing/resource-counts.ts'
import { FairQueue } from './fair-queue.ts'
import { LargeBodies } from './large-bodies.ts'

/** What a caller is told apart by. A part that has forgotten a caller refers to none of these. */
class Mark {}

class FakeSocket extends EventEmitter {
  readonly remoteAddress: unknown
  isDestroyed = false

  constructor(remoteAddress: unknown) {
    super()
    this.remoteAddress = remoteAddress
  }

  destroy(): void {
    this.isDestroyed = true
    this.emit('close')
  }
}

function aLimit(max: number) {
  const server = new EventEmitter()
  const refusedAt: number[] = []
  const limit = new ConnectionLimit(max, ({ openCount }) => refusedAt.push(openCount))
  limit.guard(server as Server)
  const connect = (address: unknown) => {
    const socket = new FakeSocket(address)
    server.emit('connection', socket)
    return socket
  }
  return { limit, connect, refusedAt }
}

test('one address gets half of the connections that the others leave, and all are given back', () => {
  const { limit, connect, refusedAt } = aLimit(8)
  const sockets = Array.from({ length: 5 }, () => connect('a'))
  assert.deepEqual(
    sockets.map(({ isDestroyed }) => isDestroyed),
    [false, false, false, false, true],
  )
  assert.deepEqual([limit.count, limit.refusedCount, refusedAt], [4, 1, [4]])
  const others = Array.from({ length: 3 }, () => connect('b'))
  assert.deepEqual(
    others.map(({ isDestroyed }) => isDestroyed),
    [false, false, true],
  )
  for (const socket of [...sockets, ...others]) if (!socket.isDestroyed) socket.destroy()
  assert.deepEqual([limit.count, limit.refusedCount], [0, 2])
  for (let count = 0; count < 100; count += 1) connect('a').destroy()
  assert.deepEqual([limit.count, limit.refusedCount], [0, 2])
})

test('whoever has nothing open, waiting or arriving any more is forgotten', () => {
  const { limit, connect } = aLimit(1_000)
  const bodies = new LargeBodies(1_000_000)
  const queue = new FairQueue<object>()
  const visit = () => {
    for (let count = 0; count < 100; count += 1) {
      const mark = new Mark()
      const sockets = [connect(mark), connect(mark)]
      const leave = [bodies.enter(mark, 10), bodies.enter(mark, 20)]
      queue.push(mark, sockets[0], {})
      queue.push(mark, sockets[1], {})
      for (const socket of sockets) socket.destroy()
      for (const give of leave) give!()
    }
    while (queue.take() !== undefined);
  }
  visit()
  assert.deepEqual([limit.count, bodies.bytes, queue.length], [0, 0, 0])
  assert.equal(liveCount(Mark), 0)
  // They are still in use here.
  assert.ok(limit.refusedCount + bodies.bytes + queue.length >= 0)
})
