import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FastifyRequest } from 'fastify'
import { ManualClock } from '../../testing/manual-clock.ts'
import { RequestGate } from './request-gate.ts'

const aRequest = () =>
  ({ caller: { kind: 'anonymous' }, raw: { socket: { destroyed: false } }, isAdmitted: false }) as never

test('how long requests waited for their turn is counted in seconds, and a refusal by the gate once', () => {
  const clock = new ManualClock()
  const refused: string[] = []
  const gate = new RequestGate({
    cost: 'list',
    timeoutMs: 3_000,
    clock,
    onRefused: ({ cost }) => refused.push(cost),
  })
  const requests: FastifyRequest[] = Array.from({ length: 6 }, aRequest)
  const answered: string[] = []
  for (const [number, request] of requests.entries()) {
    gate.enter(
      request,
      () => answered.push(`${number} starts`),
      () => answered.push(`${number} is refused`),
    )
  }
  assert.deepEqual([gate.running, gate.waiting, answered.length], [4, 2, 4])
  clock.advance(250)
  gate.leave(requests[0]!)
  assert.equal(answered.at(-1), '4 starts')
  assert.deepEqual([gate.waitedSeconds.count, gate.waitedSeconds.sum], [1, 0.25])
  gate.close()
  assert.equal(answered.at(-1), '5 is refused')
  assert.deepEqual([gate.refusedCount, refused, clock.taskCount], [1, ['list'], 0])
})
