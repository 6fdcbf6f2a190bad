import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FairQueue, type Place } from './fair-queue.ts'

function takeAll<T>(queue: FairQueue<T>): T[] {
  const taken: T[] = []
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item)
  return taken
}

test('connections of one caller take turns, whatever each has sent', () => {
  const queue = new FairQueue<string>()
  for (let count = 1; count <= 4; count += 1) queue.push('c', 'flood', `flood ${count}`)
  queue.push('c', 'b', 'b 1')
  queue.push('c', 'b', 'b 2')
  queue.push('c', 'd', 'd 1')
  assert.deepEqual(takeAll(queue), ['flood 1', 'b 1', 'd 1', 'flood 2', 'b 2', 'flood 3', 'flood 4'])
  assert.equal(queue.length, 0)
})

test('callers take turns, whatever number of connections each has', () => {
  const queue = new FairQueue<string>()
  for (let count = 1; count <= 3; count += 1) queue.push('many', count, `many ${count}`)
  queue.push('one', 1, 'one 1')
  queue.push('one', 1, 'one 2')
  assert.deepEqual(takeAll(queue), ['many 1', 'one 1', 'many 2', 'one 2', 'many 3'])
})

test('a connection that had nothing waiting has the next turn but one at the latest', () => {
  const queue = new FairQueue<string>()
  for (const connection of ['a', 'b', 'c']) {
    for (let count = 1; count <= 3; count += 1) queue.push('x', connection, `${connection} ${count}`)
  }
  assert.deepEqual([queue.take(), queue.take(), queue.take()], ['a 1', 'b 1', 'c 1'])
  queue.push('x', 'polite', 'polite 1')
  assert.deepEqual([queue.take(), queue.take()], ['a 2', 'polite 1'])
})

test('a connection cannot always come first by sending one request after the other', () => {
  const queue = new FairQueue<string>()
  for (let count = 1; count <= 5; count += 1) queue.push('x', 'a', `a ${count}`)
  const taken: (string | undefined)[] = []
  for (let count = 1; count <= 3; count += 1) {
    queue.push('x', 'sly', `sly ${count}`)
    taken.push(queue.take(), queue.take())
  }
  assert.equal(taken.filter((item) => item?.startsWith('a')).length, 3)
})

test('new connections, however many, do not stop an old one', () => {
  const queue = new FairQueue<string>()
  for (let count = 1; count <= 50; count += 1) queue.push('x', 'old', `old ${count}`)
  queue.take()
  const taken: (string | undefined)[] = []
  for (let count = 1; count <= 40; count += 1) {
    queue.push('x', `new ${count}`, `new ${count}`)
    taken.push(queue.take())
  }
  assert.ok(taken.filter((item) => item?.startsWith('old')).length >= 5, taken.join(', '))
})

test('what is said to be ahead is what is taken before', () => {
  const queue = new FairQueue<string>()
  for (const connection of [1, 2, 3]) {
    for (let count = 0; count < 5; count += 1) queue.push('x', connection, `${connection} ${count}`)
  }
  for (let count = 0; count < 6; count += 1) queue.take()
  // A new connection has the next turn but one; one that has three items waiting has all nine before it.
  assert.equal(queue.aheadOf('x', 'new'), 1)
  assert.equal(queue.aheadOf('x', 1), 9)
  assert.equal(queue.aheadOf('y', 'new'), 1)
})

test('every item is taken once, in the order of its connection, unless it was removed', () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant('push' as const),
      caller: fc.integer({ min: 0, max: 2 }),
      connection: fc.integer({ min: 0, max: 2 }),
    }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('remove' as const), at: fc.nat() }),
  )
  type Item = { caller: number; connection: number; order: number }
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new FairQueue<Item>()
      const waiting = new Map<Item, Place<Item>>()
      let order = 0
      const take = () => {
        const item = queue.take()
        if (item === undefined) return assert.equal(waiting.size, 0)
        const { caller, connection } = item
        const line = [...waiting.keys()].filter(
          (other) => other.caller === caller && other.connection === connection,
        )
        assert.equal(item, line[0])
        waiting.delete(item)
      }
      for (const each of steps) {
        if (each.kind === 'push') {
          const { caller, connection } = each
          order += 1
          const item = { caller, connection, order }
          waiting.set(item, queue.push(caller, `${caller}-${connection}`, item))
        } else if (each.kind === 'take') take()
        else if (waiting.size > 0) {
          const [item, place] = [...waiting][each.at % waiting.size]!
          queue.remove(place)
          waiting.delete(item)
        }
        assert.equal(queue.length, waiting.size)
        for (const caller of [0, 1, 2]) {
          const ofCaller = [...waiting.keys()].filter((item) => item.caller === caller)
          assert.equal(queue.lengthOf(caller), ofCaller.length)
        }
      }
      while (waiting.size > 0) take()
      take()
    }),
  )
})
