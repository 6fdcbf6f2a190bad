import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '../../register/messages.ts'
import { ABSENT, successor } from '../../register/state.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { BatchQueue } from './batch-queue.ts'
import { LINK_LIMITS } from './link-limits.ts'
import { type PendingRequest, sizeOf } from './pending-request.ts'

const BALLOT = { round: 1, proposerId: 0 }

function aRequest(key: string, request: Request = { kind: 'read' }, isBackground = false): PendingRequest {
  return { key, request, onAnswer: () => {}, onLost: () => {}, isBackground }
}

function anAccept(bytes: number): Request {
  const state = successor(ABSENT, { proposerId: 1, sequence: 1 }, new Uint8Array(bytes))
  return { kind: 'accept', ballot: BALLOT, state, next: { round: 2, proposerId: 0 } }
}

const MARK: Request = { kind: 'mark', ballot: BALLOT, writeId: { proposerId: 1, sequence: 1 } }

function aQueue(limits = LINK_LIMITS) {
  const clock = new ManualClock()
  return { clock, queue: new BatchQueue(limits, clock) }
}

const keysOf = (requests: readonly PendingRequest[]) => requests.map(({ key }) => key)

test('what has left, of clients, in the background, overdue or emptied, takes no room any more', () => {
  const { clock, queue } = aQueue()
  const pushAll = () => {
    for (let i = 0; i < 40; i += 1) {
      assert.ok(queue.push(aRequest(`client-${i}`, anAccept(i))))
      assert.ok(queue.push(aRequest(`mark-${i}`, MARK)))
      assert.ok(queue.push(aRequest(`background-${i}`, anAccept(i), true)))
    }
  }
  pushAll()
  while (queue.length + queue.backgroundLength > 0) queue.takeBatch()
  assert.deepEqual([queue.waitingBytes, queue.awaitedCount], [0, 0])
  pushAll()
  clock.advance(LINK_LIMITS.batchTimeoutMs + 1)
  const { overdue } = queue.takeBatch()
  assert.equal(overdue.length, 40)
  while (queue.length > 0) queue.takeBatch()
  assert.deepEqual([queue.waitingBytes, queue.awaitedCount], [0, 0])
  pushAll()
  assert.equal(queue.takeAll().length, 120)
  assert.deepEqual(
    [queue.waitingBytes, queue.awaitedCount, queue.length, queue.backgroundLength],
    [0, 0, 0, 0],
  )
})

test('any number of background requests goes through, if each is taken before the next', () => {
  const { queue } = aQueue()
  const request = anAccept(60_000)
  for (let i = 0; i < (2 * LINK_LIMITS.waitingBytesMax) / 60_000; i += 1) {
    assert.ok(queue.push(aRequest('k', request, true)), `request ${i}`)
    assert.equal(queue.takeBatch().requests.length, 1)
  }
})

test('background requests are few while a client waits, also when marks fill the batch', () => {
  const { queue } = aQueue()
  const { requestsPerBatchMax, backgroundPerBatchMax, backgroundAloneMax } = LINK_LIMITS
  for (let i = 0; i < requestsPerBatchMax; i += 1) queue.push(aRequest(`mark-${i}`, MARK))
  queue.push(aRequest('client'))
  for (let i = 0; i < 200; i += 1) queue.push(aRequest(`background-${i}`, { kind: 'read' }, true))
  const sizes = [1, 2, 3].map(() => queue.takeBatch().requests.length)
  assert.deepEqual(sizes, [
    requestsPerBatchMax + backgroundPerBatchMax,
    1 + backgroundPerBatchMax,
    backgroundAloneMax,
  ])
})

test('a request that would exceed the limit is refused, and requests that have left make room', () => {
  const first = aRequest('k', anAccept(500))
  const { queue } = aQueue({ ...LINK_LIMITS, waitingBytesMax: sizeOf(first) + 10 })
  assert.ok(queue.push(first))
  assert.equal(queue.push(aRequest('k2')), false)
  assert.equal(queue.push(aRequest('k2', { kind: 'read' }, true)), false)
  assert.deepEqual(queue.takeBatch().requests, [first])
  assert.ok(queue.push(aRequest('k2')))
})

test('a batch ends at its number of requests and at its bytes; one request above that travels alone', () => {
  const byCount = aQueue({ ...LINK_LIMITS, requestsPerBatchMax: 2 }).queue
  for (const key of ['a', 'b', 'c']) byCount.push(aRequest(key))
  assert.deepEqual(keysOf(byCount.takeBatch().requests), ['a', 'b'])
  assert.deepEqual(keysOf(byCount.takeBatch().requests), ['c'])
  const byBytes = aQueue({ ...LINK_LIMITS, batchBytesMax: 1_000 }).queue
  for (const [key, bytes] of [
    ['a', 100],
    ['b', 600],
    ['c', 600],
    ['d', 5_000],
  ] as const) {
    byBytes.push(aRequest(key, anAccept(bytes)))
  }
  const batches = [1, 2, 3].map(() => keysOf(byBytes.takeBatch().requests))
  assert.deepEqual(batches, [['a', 'b'], ['c'], ['d']])
})

test('it is stuck when something has waited for as long as a batch may take, and not when all of that has left', () => {
  const { clock, queue } = aQueue({ ...LINK_LIMITS, requestsPerBatchMax: 1 })
  const waitMs = LINK_LIMITS.batchTimeoutMs - 1
  for (const key of ['a', 'b']) queue.push(aRequest(key))
  assert.equal(queue.isStuck(), false)
  clock.advance(waitMs)
  queue.takeBatch()
  assert.equal(queue.isStuck(), false)
  queue.push(aRequest('c'))
  clock.advance(1)
  assert.equal(queue.isStuck(), true, 'b has waited since the beginning')
  queue.takeBatch()
  assert.equal(queue.isStuck(), false, 'c has not')
})
