import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { AccessFileError, WatchedFile } from './watched-file.ts'

/** A file that holds a number, and is watched. */
function aFile(t: TestContext) {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-watched-'))
  t.after(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'file')
  writeFileSync(path, '1')
  const clock = new ManualClock()
  const lines: string[] = []
  let parseCount = 0
  const parse = (text: string, at: string) => {
    parseCount += 1
    if (!/^\d+$/.test(text)) throw new AccessFileError(`${at} holds no number`)
    return Number(text)
  }
  const note = (level: string) => (_: object, text: string) =>
    lines.push(`${level}: ${text}`.replaceAll(path, 'F'))
  const logger = { info: note('info'), warn: note('warn'), error: note('error') } as never
  const open = () => new WatchedFile({ path, subject: 'the numbers', parse, clock, logger })
  return { path, clock, lines, open, parseCount: () => parseCount }
}

test('a changed file is in use within a second, and one that has not changed is not read again', (t) => {
  const { path, clock, lines, open, parseCount } = aFile(t)
  const file = open()
  clock.advance(5_000)
  assert.deepEqual([file.value, parseCount()], [1, 1])
  writeFileSync(path, '2')
  clock.advance(999)
  assert.equal(file.value, 1)
  clock.advance(1)
  assert.deepEqual([file.value, lines], [2, ['info: the numbers have changed, and are in use']])
  file.close()
})

test('a file that cannot be used is reported once, and what was in it stays in use', (t) => {
  const { path, clock, lines, open } = aFile(t)
  const file = open()
  for (const spoil of [() => writeFileSync(path, 'x'), () => rmSync(path)]) {
    spoil()
    clock.advance(10_000)
    assert.equal(file.value, 1)
  }
  assert.deepEqual(lines, [
    'error: F holds no number: the file is not used, and the numbers before it stay in use',
    'error: F cannot be read (ENOENT): the file is not used, and the numbers before it stay in use',
  ])
  writeFileSync(path, '3')
  clock.advance(1_000)
  assert.equal(file.value, 3)
  file.close()
})

test('a file that cannot be used at the start is refused, and leaves no timer; nor does a close', (t) => {
  const { path, clock, open } = aFile(t)
  open().close()
  assert.equal(clock.taskCount, 0)
  writeFileSync(path, 'x')
  assert.throws(open, AccessFileError)
  assert.equal(clock.taskCount, 0)
})

test('a file that everybody can write is used, and warned about at the start and after each change', (t) => {
  const { path, clock, lines, open } = aFile(t)
  chmodSync(path, 0o666)
  const warning =
    'warn: every user of this machine can change the numbers in F: protect the file with "chmod o-w F"'
  const file = open()
  clock.advance(5_000)
  assert.deepEqual(lines, [warning])
  writeFileSync(path, '2')
  clock.advance(1_000)
  assert.deepEqual(lines.slice(1), ['info: the numbers have changed, and are in use', warning])
  file.close()
})

test('a file may be a link; when the link leads elsewhere, that is a change', (t) => {
  const { path, clock, lines, open } = aFile(t)
  renameSync(path, `${path}.one`)
  writeFileSync(`${path}.two`, '2')
  symlinkSync(`${path}.one`, path)
  const file = open()
  assert.equal(file.value, 1)
  symlinkSync(`${path}.two`, `${path}.link`)
  renameSync(`${path}.link`, path)
  clock.advance(1_000)
  assert.equal(file.value, 2)
  rmSync(`${path}.two`)
  clock.advance(1_000)
  assert.equal(file.value, 2)
  assert.match(lines.at(-1)!, /^error: F cannot be read \(ENOENT\): the file is not used/)
  file.close()
})
