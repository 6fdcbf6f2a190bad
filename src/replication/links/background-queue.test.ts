import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BackgroundQueue, type Errand } from './background-queue.ts'

function anErrand(key: string): Errand {
  return { key, request: { kind: 'read' }, onAnswer: () => {}, onLost: () => {}, isBackground: true }
}

test('errands leave in their order, and those that have waited too long do not leave any more', () => {
  const queue = new BackgroundQueue()
  for (const [key, nowMs] of [
    ['a', 10],
    ['b', 20],
    ['c', 30],
    ['d', 40],
  ] as const) {
    queue.push(anErrand(key), nowMs)
  }
  const keys = (errands: readonly Errand[]) => errands.map(({ key }) => key)
  const first = queue.take(1, 20)
  assert.deepEqual([keys(first.errands), keys(first.overdue)], [['b'], ['a']])
  assert.equal(queue.length, 2)
  const second = queue.take(9, 100)
  assert.deepEqual([keys(second.errands), keys(second.overdue)], [[], ['c', 'd']])
  assert.deepEqual(queue.take(9, 0), { errands: [], overdue: [] })
})
