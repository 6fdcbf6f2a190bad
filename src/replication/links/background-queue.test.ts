import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackgroundQueue } from './background-queue.ts'
import type { PendingRequest } from './pending-request.ts'

function aRequest(key: string): PendingRequest {
  return { key, request: { kind: 'read' }, onAnswer: () => {}, onLost: () => {}, isBackground: true }
}

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
  const first = queue.take(1, 20)
  assert.deepEqual([keys(first.taken), keys(first.overdue)], [['b'], ['a']])
  assert.equal(queue.length, 2)
  const second = queue.take(9, 100)
  assert.deepEqual([keys(second.taken), keys(second.overdue)], [[], ['c', 'd']])
  assert.deepEqual(queue.take(9, 0), { taken: [], overdue: [] })
})
