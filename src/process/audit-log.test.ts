import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { pino } from 'pino'
import { ManualClock } from '../testing/manual-clock.ts'
import { AuditLog } from './audit-log.ts'

function aWorld(context: TestContext, name = 'audit.log') {
  const directory = mkdtempSync(join(tmpdir(), 'audit-'))
  context.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, name)
  const logged: string[] = []
  const logger = pino({}, { write: (line: string) => void logged.push(line) })
  const open = () =>
    new AuditLog({ path, logger, clock: new ManualClock(), now: () => new Date('2026-01-01T00:00:00.000Z') })
  return { directory, path, logged, open }
}

test('each event is one line, which only the owner of the file may read', (context) => {
  const { path, open } = aWorld(context)
  const log = open()
  log.write({ event: 'change', groupId: 'a\nb' })
  log.write({ event: 'admin' })
  log.close()
  assert.equal(
    readFileSync(path, 'utf8'),
    '{"time":"2026-01-01T00:00:00.000Z","event":"change","groupId":"a\\nb"}\n{"time":"2026-01-01T00:00:00.000Z","event":"admin"}\n',
  )
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('nothing in a line ends it for another reader, or moves the cursor of a terminal that shows it', (context) => {
  const { path, open } = aWorld(context)
  const log = open()
  const groupId = 'a\u009b2J\u0085\u007f\u2028b\u2029\u001b[2J\n'
  log.write({ groupId })
  log.close()
  const text = readFileSync(path, 'utf8')
  assert.doesNotMatch(text.trimEnd(), /[^\x20-\x7e]/)
  assert.equal(JSON.parse(text).groupId, groupId)
})

test('lines are added to a file that is there, and go to a new one after it was moved', (context) => {
  const { path, open } = aWorld(context)
  const first = open()
  first.write({ n: 1 })
  first.close()
  const log = open()
  log.write({ n: 2 })
  renameSync(path, `${path}.1`)
  log.write({ n: 3 })
  log.reopen()
  log.write({ n: 4 })
  log.close()
  const numbers = (file: string) =>
    readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).n)
  assert.deepEqual(numbers(`${path}.1`), [1, 2, 3])
  assert.deepEqual(numbers(path), [4])
})

test('a file that cannot be opened again leaves the old one in use, and the service log says so', (context) => {
  const { directory, path, logged, open } = aWorld(context)
  const log = open()
  renameSync(path, `${path}.1`)
  // A path that leads nowhere.
  symlinkSync(join(directory, 'missing', 'x'), path)
  log.reopen()
  log.write({ n: 1 })
  log.close()
  assert.match(readFileSync(`${path}.1`, 'utf8'), /"n":1/)
  assert.match(logged.join(), /could not be opened again/)
})

test('a full disk drops lines, which are counted, and said in both logs', (context) => {
  const { directory, path, logged, open } = aWorld(context)
  // Every write to this device fails as on a full disk.
  symlinkSync('/dev/full', path)
  const log = open()
  for (let count = 0; count < 100; count += 1) log.write({ count })
  assert.equal(log.droppedCount, 100)
  assert.equal(logged.length, 1)
  assert.match(logged[0]!, /"level":50.*audit lines cannot be written and are dropped/)
  rmSync(path)
  log.reopen()
  log.write({ n: 1 })
  log.close()
  assert.match(
    readFileSync(join(directory, 'audit.log'), 'utf8'),
    /"event":"lines_dropped","dropped":100\}\n.*"n":1/,
  )
})

test('a process does not start with an audit log that cannot be opened', (context) => {
  const { open } = aWorld(context, 'missing/audit.log')
  assert.throws(open, { name: 'FaultError', code: 'audit_log_unusable' })
})
