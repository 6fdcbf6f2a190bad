import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackgroundQueue } from './background-queue.ts'
import { type PendingRequest, sizeOf } from './pending-request.ts'

function aRequest(key: string): PendingRequest {
  return { key, request: { kind: 'read' }, onAnswer: () => {}, onLost: () => {}, isBackground: true }
}

const ALL = { countMax: 9, bytesMax: 1_000_000 }

test('requests leave in their order, and those that have waited too long do not leave any more', () => {
  const queue = new BackgroundQueue()
  for (const [key, nowMs] of [
    ['a', 10],
    ['b', 20],
    ['c', 30],
    ['d', 40],
  ] as const) {
    queue.push(aRequest(key), nowMs)
  }
  const keys = (requests: readonly PendingRequest[]) => requests.map(({ key }) => key)
  const first = queue.take({ ...ALL, countMax: 1 }, 20)
  assert.deepEqual([keys(first.taken), keys(first.overdue)], [['b'], ['a']])
  assert.equal(queue.length, 2)
  const second = queue.take(ALL, 100)
  assert.deepEqual([keys(second.taken), keys(second.overdue)], [[], ['c', 'd']])
  assert.deepEqual(queue.take(ALL, 0), { taken: [], overdue: [] })
})

test('requests leave up to the number of bytes, and one that is larger leaves alone', () => {
  const queue = new BackgroundQueue()
  for (const key of ['a', 'b', 'x'.repeat(500), 'c']) queue.push(aRequest(key), 0)
  const limits = { countMax: 9, bytesMax: 2 * sizeOf(aRequest('a')) }
  const sizes = [1, 2, 3].map(() => queue.take(limits, 0).taken.map(({ key }) => key.length))
  assert.deepEqual(sizes, [[1, 1], [500], [1]])
})
