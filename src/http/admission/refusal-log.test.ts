import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pino } from 'pino'
import { ManualClock } from '../../testing/manual-clock.ts'
import { RefusalLog } from './refusal-log.ts'

function aWorld() {
  const lines: { level: number; msg: string; requests: string; refused?: number; seconds?: number }[] = []
  const clock = new ManualClock()
  const log = new RefusalLog(pino({}, { write: (line) => void lines.push(JSON.parse(line)) }), clock)
  return { lines, clock, refused: (kind: string) => log.refused(kind, () => ({ waiting: 7 })), log }
}

test('one warning says that refusing begins, and one that it has ended, however many are refused', () => {
  const { lines, clock, refused } = aWorld()
  for (let count = 0; count < 1_000; count += 1) {
    refused('list')
    clock.advance(30)
  }
  clock.advance(10_000)
  assert.deepEqual(
    lines.map(({ level, msg, requests, refused: total, seconds }) => [level, msg, requests, total, seconds]),
    [
      [40, 'requests are refused: there are too many', 'list', undefined, undefined],
      [40, 'requests are no longer refused', 'list', 1_000, 30],
    ],
  )
  assert.equal(clock.taskCount, 0)
})

test('refusals that come again and again are one episode, so the lines are bounded', () => {
  const { lines, clock, refused } = aWorld()
  for (let count = 0; count < 100; count += 1) {
    refused('key')
    clock.advance(9_000)
  }
  assert.equal(lines.length, 1)
})

test('each kind has its own lines, and a closed log sets no timer', () => {
  const { lines, clock, refused, log } = aWorld()
  refused('key')
  refused('bulk')
  assert.deepEqual(
    lines.map(({ requests }) => requests),
    ['key', 'bulk'],
  )
  log.close()
  assert.equal(clock.taskCount, 0)
})
