import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { votesEndMs } from '../register/grace-time.ts'
import type { RequestBatch } from '../rpc/messages.ts'
import type { StreamHandlers } from '../rpc/transport.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { LINK_LIMITS } from './links/link-limits.ts'
import { NodeLink } from './links/node-link.ts'
import { livesWithin } from './lives.ts'

test('view, operation, waiting and flight together are shorter than the grace time', () => {
  for (const graceMs of [1_000, 2_000, 60_000, 3_600_000]) {
    const { viewAgeMsMax, linkLimits } = livesWithin(graceMs)
    const operationMs = graceMs / 10
    const waitingMs = linkLimits.batchTimeoutMs + 2 * linkLimits.heartbeatMs
    const totalMs = operationMs + viewAgeMsMax + operationMs + waitingMs + linkLimits.batchTimeoutMs
    assert.ok(totalMs <= 0.8 * graceMs + 1e-6, `${totalMs} of ${graceMs}`)
  }
  assert.deepEqual(livesWithin(3_600_000).linkLimits, LINK_LIMITS)
})

test('all votes at a ballot have arrived, or never will, after the time that nodes wait for open votes', () => {
  for (const graceMs of [1_000, 2_000, 60_000, 3_600_000]) {
    const { batchTimeoutMs, heartbeatMs } = livesWithin(graceMs).linkLimits
    const waitingMs = batchTimeoutMs + 2 * heartbeatMs
    assert.ok(waitingMs + 2 * batchTimeoutMs <= votesEndMs(graceMs) + 1e-6, `${graceMs}`)
  }
})

test('a request that waits for as long as a batch may take ends the stream, although every batch is answered', () => {
  const clock = new ManualClock()
  const { linkLimits } = livesWithin(10_000)
  let closedAtMs: number | undefined
  const transport = {
    open: ({ onAnswers, onClose }: StreamHandlers) => ({
      send({ batchId, requests }: { batchId: number; requests: readonly unknown[] }) {
        const isFirst = batchId === 1
        clock.after(isFirst ? 1 : linkLimits.batchTimeoutMs / 2, () => {
          if (closedAtMs !== undefined) return
          onAnswers({ batchId, answers: requests.map(() => ANSWER), mismatch: undefined })
        })
      },
      close() {
        closedAtMs ??= clock.nowMs()
        onClose('closed')
      },
    }),
    describe: () => assert.fail('not used'),
    digest: () => assert.fail('not used'),
    changes: () => assert.fail('not used'),
    scan: () => assert.fail('not used'),
    close: () => {},
  }
  const link = new NodeLink({
    transport: () => transport,
    nodeId: 'n1',
    membership: undefined,
    clock,
    limits: { ...linkLimits, requestsPerBatchMax: 1, reopenMs: 1e9 },
    onChange: () => {},
    onMismatch: () => {},
  })
  clock.advance(10)
  let lost = 0
  for (let i = 0; i < 50; i += 1) {
    link.send({
      key: `k${i}`,
      request: { kind: 'read' },
      onAnswer: () => {},
      onLost: () => {
        lost += 1
      },
    })
  }
  clock.advance(60_000)
  assert.ok(closedAtMs !== undefined, 'two at a time, each half a timeout: fifty would take twelve')
  assert.ok(closedAtMs <= linkLimits.batchTimeoutMs + 2 * linkLimits.heartbeatMs + 10)
  assert.ok(lost > 40)
})

test('requests that wait when the process is stopped are never sent if the stop lasts longer than a message may live', () => {
  const clock = new ManualClock()
  const { linkLimits } = livesWithin(10_000)
  const sent: string[] = []
  const transport = {
    open: ({ onAnswers, onClose }: StreamHandlers) => ({
      send({ batchId, requests }: RequestBatch) {
        sent.push(...requests.map(({ key }) => key))
        clock.after(1, () => onAnswers({ batchId, answers: requests.map(() => ANSWER), mismatch: undefined }))
      },
      close: () => onClose('closed'),
    }),
    describe: () => assert.fail('not used'),
    digest: () => assert.fail('not used'),
    changes: () => assert.fail('not used'),
    scan: () => assert.fail('not used'),
    close: () => {},
  }
  const link = new NodeLink({
    transport: () => transport,
    nodeId: 'n1',
    membership: undefined,
    clock,
    limits: linkLimits,
    onChange: () => {},
    onMismatch: () => {},
  })
  clock.advance(10)
  const lost: string[] = []
  const send = (key: string) =>
    link.send({ key, request: { kind: 'read' }, onAnswer: () => {}, onLost: () => lost.push(key) })
  send('before')
  clock.skip(linkLimits.batchTimeoutMs + linkLimits.heartbeatMs + 1)
  clock.advance(1)
  assert.deepEqual([sent, lost], [[], ['before']])
  clock.advance(linkLimits.reopenMs + 10)
  assert.ok(send('after'))
  clock.advance(10)
  assert.deepEqual(sent, ['after'])
})

const ANSWER = { ok: true, record: EMPTY_RECORD }
