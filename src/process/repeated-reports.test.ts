import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { RepeatedReports } from './repeated-reports.ts'

function aLog() {
  const clock = new ManualClock()
  const reports = new RepeatedReports(clock)
  const lines: string[] = []
  const report = (subject: string) =>
    reports.report(subject, (leftOut) => lines.push(`${subject} ${leftOut}`))
  return { clock, lines, report }
}

test('a subject is reported at once, and again after a minute with the number of times in between', () => {
  const { clock, lines, report } = aLog()
  for (let i = 0; i < 10; i += 1) report('a')
  report('b')
  assert.deepEqual(lines, ['a 0', 'b 0'])
  clock.advance(59_999)
  report('a')
  assert.equal(lines.length, 2)
  clock.advance(1)
  report('a')
  report('a')
  assert.deepEqual(lines.slice(2), ['a 10'])
})

test('however many subjects there are, no more than 64 are reported in a minute', () => {
  const { clock, lines, report } = aLog()
  for (let i = 0; i < 10_000; i += 1) report(`subject ${i}`)
  assert.equal(lines.length, 64)
  clock.advance(60_000)
  for (let i = 0; i < 10_000; i += 1) report(`subject ${i}`)
  assert.equal(lines.length, 128)
})
