import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { ROUND_MAX } from '../../register/ballot.ts'
import type { Answer, Request } from '../../register/messages.ts'
import { GENERATION_MAX } from '../../register/state.ts'
import { VALUE_BYTES_MAX } from '../../rpc/limits.ts'
import type { AnswerBatch, RequestBatch } from '../../rpc/messages.ts'
import type { NodeTransport, StreamHandlers } from '../../rpc/transport.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { assertSameCounts, type ResourceCounts } from '../../testing/resource-counts.ts'
import { LINK_LIMITS } from './link-limits.ts'
import { NodeLink } from './node-link.ts'

/** A node that answers each batch after 1 ms while it is awake. */
function aNode(clock: ManualClock) {
  const node = {
    isAwake: true,
    /** The time that it takes to answer. */
    answerMs: 1,
    /** Whether it sends answers even on a stream that has ended. */
    isDeafToEnds: false,
    openCount: 0,
    streamCount: 0,
    /** Ends the stream. */
    end: (_isMalformed: boolean) => {},
    batches: [] as RequestBatch[],
    answersOf: (_batch: RequestBatch): Answer[] => [],
  }
  const transport: NodeTransport = {
    open(handlers: StreamHandlers) {
      let isOpen = true
      node.openCount += 1
      node.streamCount += 1
      node.end = (isMalformed) => {
        if (!isOpen) return
        isOpen = false
        node.streamCount -= 1
        handlers.onClose('ended', isMalformed)
      }
      return {
        send(batch) {
          node.batches.push(batch)
          const answers: AnswerBatch = {
            batchId: batch.batchId,
            answers: node.answersOf(batch),
            mismatch: undefined,
          }
          clock.after(node.answerMs, () => {
            if ((isOpen || node.isDeafToEnds) && node.isAwake) handlers.onAnswers(answers)
          })
        },
        close() {
          if (!isOpen) return
          isOpen = false
          node.streamCount -= 1
          clock.defer(() => handlers.onClose('closed'))
        },
      }
    },
    describe: () => assert.fail('not used'),
    digest: () => assert.fail('not used'),
    changes: () => assert.fail('not used'),
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

test('a request that no node accepts is never sent', () => {
  const { clock, node, link } = aLink()
  clock.advance(5)
  const ballot = { round: ROUND_MAX, proposerId: 1 }
  const writeId = { proposerId: 1, sequence: 1 }
  const state = { generation: GENERATION_MAX, writeId, lineage: Array(16).fill(writeId), value: undefined }
  const send = (request: Request) =>
    link.send({ key: 'group/a', request, onAnswer: () => assert.fail(), onLost: () => assert.fail() })
  const next = { round: ROUND_MAX + 1, proposerId: 1 }
  assert.equal(send({ kind: 'prepare', ballot: next }), false)
  assert.equal(send({ kind: 'accept', ballot, state, next }), false)
  const low = { round: 1, proposerId: 0 }
  const higher = { ...state, generation: GENERATION_MAX + 1 }
  assert.equal(send({ kind: 'learn', ballot: low, state: higher, next: ballot }), false)
  const large = { ...state, value: new Uint8Array(VALUE_BYTES_MAX + 1) }
  assert.equal(send({ kind: 'accept', ballot: low, state: large, next: ballot }), false)
  assert.equal(send({ kind: 'drop', promised: next }), false)
  for (const kind of ['mark', 'stub'] as const) assert.equal(send({ kind, ballot: next, writeId }), false)
  clock.advance(LINK_LIMITS.marksMs)
  assert.deepEqual(sizesOf(node), [])
  node.isAwake = false
  assert.equal(
    link.send({ ...aRead('group/a'), request: { kind: 'accept', ballot: low, state, next: ballot } }),
    true,
  )
})

/** Ends the stream as after a malformed answer, and returns how long it stays closed. */
function pauseAfterMalformed(clock: ManualClock, node: ReturnType<typeof aNode>['node']): number {
  const { openCount } = node
  node.end(true)
  const sinceMs = clock.nowMs()
  while (node.openCount === openCount) clock.advance(1)
  return clock.nowMs() - sinceMs
}

test('a node that sends malformed answers is tried again after longer and longer pauses, until a stream lasts', () => {
  const { clock, node } = aLink()
  const { reopenMs, malformedReopenMsMax } = LINK_LIMITS
  const pauses = Array.from({ length: 7 }, () => {
    clock.advance(10)
    return pauseAfterMalformed(clock, node)
  })
  assert.deepEqual(
    pauses,
    [1, 2, 4, 8, 16, 25, 25].map((factor) => factor * reopenMs),
  )
  assert.equal(pauses.at(-1), malformedReopenMsMax)
  clock.advance(malformedReopenMsMax)
  assert.equal(pauseAfterMalformed(clock, node), reopenMs)
})

test('a node whose streams end for other reasons is tried again at once', () => {
  const { clock, node } = aLink()
  for (let i = 0; i < 10; i += 1) {
    clock.advance(10)
    const { openCount } = node
    node.end(false)
    clock.advance(LINK_LIMITS.reopenMs)
    assert.equal(node.openCount, openCount + 1)
  }
})

test('after many requests of every kind, lost streams and pauses, a link holds no more than before', () => {
  const { clock, node, link } = aLink()
  node.answersOf = ({ requests }) =>
    requests.filter(({ request }) => request.kind !== 'mark').map(() => ANSWER)
  const counts = (): ResourceCounts => ({ ...link.load, timers: clock.taskCount })
  clock.advance(1_000)
  const before = counts()
  let ended = 0
  let sent = 0
  const end = () => {
    ended += 1
  }
  for (let turn = 0; turn < 300; turn += 1) {
    for (const request of [aRead('a'), inBackground('b')]) {
      if (link.send({ ...request, onAnswer: end, onLost: end })) sent += 1
    }
    link.send(aMark('c'))
    clock.advance(turn % 7)
    if (turn % 50 !== 49) continue
    node.end(turn % 100 === 99)
    clock.advance(LINK_LIMITS.malformedReopenMsMax)
  }
  clock.advance(10_000)
  assertSameCounts(before, counts())
  assert.ok(sent > 300)
  assert.equal(ended, sent, 'each was told of once')
  link.close()
  clock.advance(10_000)
  assertSameCounts({ waiting: 0, waitingBytes: 0, batchesInFlight: 0, timers: 0 }, counts())
  assert.equal(node.streamCount, 0)
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

test('a request that waits for others leaves with the next answer at the latest, and marks leave with it', () => {
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

test('marks leave by themselves if no request leaves', () => {
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

test('background requests without those of clients travel in larger batches', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.answersOf = ({ requests }) => requests.map(() => ANSWER)
  const batchCount = node.batches.length
  const limit = LINK_LIMITS.backgroundAloneMax
  assert.ok(limit > LINK_LIMITS.backgroundPerBatchMax)
  for (let i = 0; i < limit + 5; i += 1) link.send(inBackground(`later-${i}`))
  clock.advance(10)
  assert.deepEqual(
    node.batches.slice(batchCount).map(({ requests }) => requests.length),
    [limit, 5],
  )
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

test('marks that find the link busy leave by themselves when it is not busy any more', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.answersOf = ({ requests }) =>
    requests.filter(({ request }) => request.kind !== 'mark').map(() => ANSWER)
  node.answerMs = 100
  link.send(aRead('a'))
  clock.advance(1)
  link.send(aRead('b'))
  clock.advance(1)
  assert.equal(link.load.batchesInFlight, LINK_LIMITS.batchesInFlightMax)
  const mark = { kind: 'mark', ballot: aBallot, writeId: aWriteId } as const
  link.send({ key: 'c', request: mark, onAnswer: () => {}, onLost: () => {} })
  clock.advance(100 + 2 * LINK_LIMITS.marksMs)
  const sent = node.batches
    .flatMap(({ requests }) => requests)
    .filter(({ request }) => request.kind === 'mark')
  assert.deepEqual([sent.length, link.load.waiting], [1, 0])
})

test('an answer that comes after the end of its stream counts for nothing, and disturbs the next stream in nothing', () => {
  const { clock, node, link } = aLink()
  clock.advance(10)
  node.isDeafToEnds = true
  node.answersOf = ({ requests }) => requests.map(() => ANSWER)
  const ends: string[] = []
  const counted = { onAnswer: () => void ends.push('answered'), onLost: () => void ends.push('lost') }
  node.answerMs = LINK_LIMITS.reopenMs + 5
  link.send({ ...aRead('a'), ...counted })
  clock.advance(0)
  node.end(false)
  node.answerMs = 50
  clock.advance(LINK_LIMITS.reopenMs + 10)
  assert.deepEqual(ends, ['lost'])
  clock.advance(100)
  assert.ok(link.isReachable)
  link.send({ ...aRead('b'), ...counted })
  clock.advance(100)
  assert.deepEqual(ends, ['lost', 'answered'])
})

/** What a link can be doing when it is closed. */
const MIDDLES: readonly (readonly [string, (world: ReturnType<typeof aLink>) => void])[] = [
  ['its first batch', () => {}],
  [
    'its first batch to a node that is stopped',
    ({ node }) => {
      node.isAwake = false
    },
  ],
  ['a quiet time', ({ clock }) => clock.advance(1_700)],
  [
    'requests that are under way',
    ({ clock, link }) => {
      clock.advance(10)
      for (let count = 0; count < 10; count += 1) link.send(aRead(`k${count}`))
      clock.advance(0)
    },
  ],
  [
    'requests to a node that has stopped, which is suspect by now',
    ({ clock, node, link }) => {
      clock.advance(10)
      node.isAwake = false
      link.send(aRead('k'))
      clock.advance(1_000)
      assert.ok(link.isSuspect)
    },
  ],
  [
    'marks that wait for requests',
    ({ clock, link }) => {
      clock.advance(10)
      link.send({ ...aRead('k'), request: { kind: 'mark', ballot: aBallot, writeId: aWriteId } })
    },
  ],
  [
    'the pause after a lost stream',
    ({ clock, node }) => {
      clock.advance(10)
      node.end(false)
    },
  ],
  [
    'the pause after many malformed streams',
    ({ clock, node }) => {
      for (let count = 0; count < 4; count += 1) {
        clock.advance(2_000)
        node.end(true)
      }
    },
  ],
]

const aBallot = { round: 1, proposerId: 0 }
const aWriteId = { proposerId: 7, sequence: 1 }

for (const [name, untilThen] of MIDDLES) {
  test(`a link that is closed in the middle of ${name} leaves no stream and no timer`, () => {
    const world = aLink()
    untilThen(world)
    world.link.close()
    // What has arrived already, and the answer that is on its way.
    world.clock.advance(1)
    assert.deepEqual([world.node.streamCount, world.clock.taskCount], [0, 0])
  })
}

/** A request whose answer, or loss, is counted. */
function counted(key: string, tally: { answered: number; lost: number }) {
  const onAnswer = () => {
    tally.answered += 1
  }
  const onLost = () => {
    tally.lost += 1
  }
  return { ...aRead(key), onAnswer, onLost }
}

test('a link that moves to a new stream loses no request, and waits for no answer twice', async () => {
  const { clock, node, link } = aLink()
  node.answersOf = ({ requests }) => requests.map(() => ANSWER)
  clock.advance(5)
  const tally = { answered: 0, lost: 0 }
  let sent = 0
  const send = () => {
    assert.equal(link.send(counted(`group/${sent}`, tally)), true)
    sent += 1
  }
  for (let turn = 0; turn < 10; turn += 1) {
    send()
    clock.advance(0)
    const moved = link.renew()
    assert.equal(link.renew(), moved, 'a second call waits for the same move')
    send()
    // Only now is the old stream quiet, and the new one is opened.
    clock.advance(1)
    send()
    clock.advance(1)
    await moved
    clock.advance(1)
    assert.equal(link.isSuspect, false)
    assert.equal(node.openCount, turn + 2)
  }
  clock.advance(5)
  assert.deepEqual([tally, sent, node.streamCount], [{ answered: sent, lost: 0 }, 30, 1])
  assert.equal(link.lossCount, 0)
})

test('a move ends when the new stream ends, when the node hangs, and when the link is closed', async () => {
  const world = aLink()
  const { clock, node, link } = world
  clock.advance(5)
  let moved = link.renew()
  node.end(false)
  await moved
  clock.advance(LINK_LIMITS.reopenMs + 5)
  assert.equal(link.isSuspect, false, 'the link has opened another stream')
  moved = link.renew()
  node.isAwake = false
  clock.advance(LINK_LIMITS.batchTimeoutMs + 5)
  await moved
  assert.equal(link.isSuspect, true)
  node.isAwake = true
  clock.advance(5_000)
  assert.equal(link.isSuspect, false)
  moved = link.renew()
  link.close()
  await moved
  await link.renew()
  clock.advance(5)
  assert.equal(node.streamCount, 0)
})

test('a link whose node does not answer has nothing to move', async () => {
  const { clock, node, link } = aLink()
  node.isAwake = false
  clock.advance(5)
  await link.renew()
  assert.equal(node.openCount, 1)
})

test('a node for which requests wait as long as a batch may take loses its stream, although it answers', () => {
  const { clock, node, link } = aLink()
  node.answersOf = ({ requests }) => requests.map(() => ({ ok: true, record: EMPTY_RECORD }))
  clock.advance(10)
  // Twenty batches, of which it answers two in two seconds.
  node.answerMs = 2_000
  for (let number = 0; number < 20 * LINK_LIMITS.requestsPerBatchMax; number += 1)
    assert.ok(link.send(aRead(`group/${number}`)))
  clock.advance(3_000)
  assert.equal(node.openCount, 1)
  clock.advance(1_500)
  assert.ok(node.openCount > 1)
  assert.deepEqual([link.load.waiting, link.load.waitingBytes], [0, 0])
  link.close()
})

test('each batch says when it was sent, and that it is not to be acted on three seconds later', () => {
  const { clock, node, link } = aLink()
  clock.advance(700)
  assert.deepEqual(
    node.batches.map(({ sentMs, lifeMs }) => [sentMs, lifeMs]),
    [
      [0, 3_000],
      [501, 3_000],
    ],
  )
  link.close()
})
