import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pino } from 'pino'
import { Metrics } from '../metrics/metrics.ts'
import { openFilesBelow } from '../testing/resource-counts.ts'
import { openAudit } from './open-audit.ts'

const logger = pino({ level: 'silent' })
const now = () => new Date('2026-01-01T00:00:00.000Z')

/** What an audit log leaves in the process. Other files of the process come and go. */
function left(directory: string) {
  return { listeners: process.listenerCount('SIGUSR2'), files: openFilesBelow(directory) }
}

test('the file is opened again after SIGUSR2; a close leaves no file and no listener, and drops later lines', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-audit-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'audit.log')
  // The test runner has it on, and writes a report at each such signal.
  if (process.report !== undefined) process.report.reportOnSignal = false
  const before = left(directory)
  const metrics = new Metrics()
  const audit = openAudit(path, { logger, metrics, now })
  audit.log?.write({ event: 'first' })
  renameSync(path, `${path}.1`)
  const reopened = once(process, 'SIGUSR2')
  process.kill(process.pid, 'SIGUSR2')
  await reopened
  audit.log?.write({ event: 'second' })
  assert.match(readFileSync(`${path}.1`, 'utf8'), /^\{"time":"2026-01-01T00:00:00.000Z","event":"first"\}\n$/)
  assert.match(readFileSync(path, 'utf8'), /^\{.*"event":"second"\}\n$/)
  assert.deepEqual(left(directory).files, [path])
  audit.close()
  assert.deepEqual(left(directory), before)
  audit.log?.write({ event: 'third' })
  assert.doesNotMatch(readFileSync(path, 'utf8'), /third/)
  assert.match(await metrics.render(), /^cohort_audit_lines_dropped_total 1$/m)
})

test('without an audit log, SIGUSR2 is left as it is, and the metric is 0', async () => {
  const before = process.listenerCount('SIGUSR2')
  const metrics = new Metrics()
  const audit = openAudit(undefined, { logger, metrics, now })
  assert.equal(audit.log, undefined)
  assert.equal(process.listenerCount('SIGUSR2'), before)
  assert.match(await metrics.render(), /^cohort_audit_lines_dropped_total 0$/m)
  audit.close()
})
