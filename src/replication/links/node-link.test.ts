import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import type { Answer } from '../../register/messages.ts'
import type { AnswerBatch, RequestBatch } from '../../rpc/messages.ts'
import type { NodeTransport, StreamHandlers } from '../../rpc/transport.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { LINK_LIMITS } from './link-limits.ts'
import { NodeLink } from './node-link.ts'

/** A node that answers each batch after 1 ms while it is awake. */
function aNode(clock: ManualClock) {
  const node = {
    isAwake: true,
    batches: [] as RequestBatch[],
    answersOf: (_batch: RequestBatch): Answer[] => [],
  }
  const transport: NodeTransport = {
    open(handlers: StreamHandlers) {
      let isOpen = true
      return {
        send(batch) {
          node.batches.push(batch)
          const answers: AnswerBatch = {
            batchId: batch.batchId,
            answers: node.answersOf(batch),
            mismatch: undefined,
          }
          clock.after(1, () => {
            if (isOpen && node.isAwake) handlers.onAnswers(answers)
          })
        },
        close() {
          if (!isOpen) return
          isOpen = false
          clock.defer(() => handlers.onClose('closed'))
        },
      }
    },
    describe: () => assert.fail('not used'),
    digest: () => assert.fail('not used'),
    scan: () => assert.fail('not used'),
    close: () => {},
  }
  return { node, transport }
}

function aLink() {
  const clock = new ManualClock()
  const { node, transport } = aNode(clock)
  const link = new NodeLink({
    transport: () => transport,
    nodeId: 'n1',
    membership: undefined,
    clock,
    limits: LINK_LIMITS,
    onChange: () => {},
    onMismatch: () => assert.fail('not used'),
  })
  return { clock, node, link }
}

test('a node is suspect until it has answered on its stream', () => {
  const { clock, link } = aLink()
  assert.equal(link.isSuspect, true)
  clock.advance(5)
  assert.equal(link.isSuspect, false)
})

for (const ageMs of [10, 700, 2_500, 60_000]) {
  test(`a node that stops ${ageMs} ms after its stream was opened is suspect within a heartbeat and the hedge time`, () => {
    const { clock, node, link } = aLink()
    clock.advance(ageMs)
    assert.equal(link.isSuspect, false)
    node.isAwake = false
    clock.advance(2 * LINK_LIMITS.heartbeatMs + LINK_LIMITS.hedgeMsMax + 1)
    assert.equal(link.isSuspect, true)
  })
}

test('a stopped node with a batch in flight is suspect within the hedge time, however young its stream is', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.isAwake = false
  link.send(aRead('group/a'))
  clock.advance(LINK_LIMITS.hedgeMsMax + 2)
  assert.equal(link.isSuspect, true)
})

test('a stream that answers nothing is given up, and the node is used again when it goes on', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.isAwake = false
  clock.advance(2 * LINK_LIMITS.heartbeatMs + LINK_LIMITS.batchTimeoutMs + 10)
  assert.equal(link.isReachable, false)
  node.isAwake = true
  clock.advance(LINK_LIMITS.batchTimeoutMs + LINK_LIMITS.reopenMs + 10)
  assert.equal(link.isSuspect, false)
})

const ANSWER: Answer = { ok: true, record: EMPTY_RECORD }

function aRead(key: string) {
  return { key, request: { kind: 'read' } as const, onAnswer: () => {}, onLost: () => {} }
}

function aMark(key: string) {
  const request = {
    kind: 'mark',
    ballot: { round: 1, proposerId: 0 },
    writeId: { proposerId: 1, sequence: 1 },
  } as const
  return { key, request, onAnswer: () => {}, onLost: () => {} }
}

/** The sizes of the batches that have left, the first of the stream aside. */
function sizesOf({ batches }: { batches: readonly RequestBatch[] }): number[] {
  return batches.slice(1).map(({ requests }) => requests.length)
}

test('while a batch is in flight, the next leaves when it is as large, and a third only after an answer', () => {
  const { clock, node, link } = aLink()
  clock.advance(5)
  node.isAwake = false
  for (const key of ['a', 'b']) link.send(aRead(key))
  clock.advance(0)
  assert.deepEqual(sizesOf(node), [2])
  link.send(aRead('c'))
  clock.advance(0)
  assert.deepEqual(sizesOf(node), [2], 'one request waits for company')
  link.send(aRead('d'))
  clock.advance(0)
  assert.deepEqual(sizesOf(node), [2, 2])
  for (const key of ['e', 'f', 'g']) link.send(aRead(key))
  clock.advance(0)
  assert.deepEqual(sizesOf(node), [2, 2], 'two batches are in flight')
})

test('what waits for company leaves with the next answer at the latest, and marks travel with it', () => {
  const { clock, node, link } = aLink()
  clock.advance(5)
  node.answersOf = ({ requests }) =>
    requests.filter(({ request }) => request.kind !== 'mark').map(() => ANSWER)
  for (const key of ['a', 'b']) link.send(aRead(key))
  clock.advance(0)
  link.send(aMark('a'))
  link.send(aRead('c'))
  clock.advance(1)
  assert.deepEqual(sizesOf(node), [2, 2])
})

test('marks that no request takes along leave by themselves', () => {
  const { clock, node, link } = aLink()
  clock.advance(5)
  for (const key of ['a', 'b']) link.send(aMark(key))
  clock.advance(LINK_LIMITS.marksMs - 1)
  assert.deepEqual(sizesOf(node), [])
  clock.advance(1)
  assert.deepEqual(sizesOf(node), [2])
})

function inBackground(key: string) {
  return { ...aRead(key), isBackground: true }
}

test('background requests travel with those of clients, a few in each batch, after them', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.isAwake = false
  const limit = LINK_LIMITS.backgroundPerBatchMax
  for (let i = 0; i < limit + 5; i += 1) link.send(inBackground(`later-${i}`))
  link.send(aRead('now'))
  clock.advance(1)
  const keys = node.batches.at(-1)!.requests.map(({ key }) => key)
  assert.equal(keys.length, 1 + limit)
  assert.deepEqual(keys.slice(0, 3), ['now', 'later-0', 'later-1'])
})

test('background requests alone leave a batch free for clients', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.isAwake = false
  const batchCount = node.batches.length
  link.send(inBackground('later-1'))
  clock.advance(1)
  link.send(inBackground('later-2'))
  clock.advance(1)
  assert.equal(node.batches.length, batchCount + 1)
  link.send(aRead('now'))
  clock.advance(1)
  assert.deepEqual(
    node.batches.slice(batchCount).map(({ requests }) => requests.map(({ key }) => key)),
    [['later-1'], ['now', 'later-2']],
  )
})

test('background requests are lost with their stream, waiting or not', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.isAwake = false
  let lostCount = 0
  for (let i = 0; i < 100; i += 1)
    link.send({ ...inBackground(`later-${i}`), onLost: () => (lostCount += 1) })
  clock.advance(LINK_LIMITS.batchTimeoutMs + LINK_LIMITS.heartbeatMs)
  assert.equal(lostCount, 100)
})
