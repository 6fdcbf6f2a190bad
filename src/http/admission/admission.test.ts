import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { pino } from 'pino'
import { Metrics } from '../../metrics/metrics.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { Admission } from './admission.ts'

test('after its close it leaves no timer, although requests of open connections were refused', async () => {
  const clock = new ManualClock()
  const lines: string[] = []
  const logger = pino({}, { write: (line: string) => void lines.push(line) })
  const admission = new Admission({ timeoutMs: 3_000, ratePerSecond: 1, clock, logger })
  const socket = { destroyed: false, pause: () => {}, resume: () => {} }
  for (let count = 0; count < 5; count += 1) {
    const request = Object.assign(new EventEmitter(), { socket, closed: true }) as unknown as IncomingMessage
    admission.rateLimited('key:a', request)
  }
  const metrics = new Metrics()
  admission.addMetrics(metrics)
  const text = await metrics.render()
  assert.match(text, /^cohort_http_rate_limited_total 5$/m)
  assert.match(text, /^cohort_http_connections_slowed 1$/m)
  assert.equal(lines.length, 1)
  assert.ok(clock.taskCount > 0)
  admission.close()
  assert.equal(clock.taskCount, 0)
})
