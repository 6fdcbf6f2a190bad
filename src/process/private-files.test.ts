import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { recordSyncs } from '../testing/recorded-syncs.ts'
import {
  isPrivate,
  isReadByOthers,
  isWrittenByAll,
  makePrivateDirectory,
  protectFile,
} from './private-files.ts'

function aDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-private-'))
  t.after(() => rmSync(directory, { recursive: true }))
  return directory
}

function modeOf(path: string): string {
  return (statSync(path).mode & 0o7777).toString(8)
}

const isOurs = (name: string) => name === 'node.db'

test('a directory that is made is its owner’s alone, with those of its parents that were missing', (t) => {
  const directory = join(aDirectory(t), 'a', 'b')
  makePrivateDirectory(directory, isOurs)
  assert.equal(modeOf(directory), '700')
  assert.equal(modeOf(join(directory, '..')), '700')
  assert.ok(isPrivate(directory))
})

test('a directory that is there is closed to others if it holds our files alone', (t) => {
  const directory = aDirectory(t)
  for (const [files, mode] of [
    [[], '700'],
    [['node.db', 'lost+found'], '700'],
    [['node.db', 'photo.jpg'], '1777'],
  ] as const) {
    const path = join(directory, files.join('-') || 'empty')
    mkdirSync(path)
    for (const name of files) writeFileSync(join(path, name), '')
    chmodSync(path, 0o1777)
    makePrivateDirectory(path, isOurs)
    assert.equal(modeOf(path), mode, files.join())
  }
})

test('a file is closed to others, and keeps what is in it', (t) => {
  const path = join(aDirectory(t), 'old')
  writeFileSync(path, 'kept')
  chmodSync(path, 0o664)
  assert.ok(!isPrivate(path))
  protectFile(path)
  assert.deepEqual([modeOf(path), statSync(path).size], ['600', 4])
})

test('each directory that is made is on the disk by its name before the call returns', {
  skip: !existsSync('/proc/self/fd'),
}, async (t) => {
  const root = aDirectory(t)
  const recorded = await recordSyncs(t)
  makePrivateDirectory(join(root, 'a', 'b'), isOurs)
  assert.deepEqual(recorded, [`sync ${root}`, `sync ${join(root, 'a')}`])
})

test('a secret is exposed if everybody may read it, or a group to which root has not given it', () => {
  for (const [mode, byOwner, byRoot] of [
    [0o600, false, false],
    [0o400, false, false],
    [0o640, true, false],
    [0o440, true, false],
    [0o644, true, true],
    [0o604, true, true],
    [0o622, false, false],
  ] as const) {
    assert.equal(isReadByOthers({ mode: 0o100_000 | mode, uid: 1_000 }), byOwner, mode.toString(8))
    assert.equal(isReadByOthers({ mode: 0o100_000 | mode, uid: 0 }), byRoot, mode.toString(8))
  }
  assert.deepEqual(
    [0o600, 0o660, 0o644, 0o602, 0o666].map((mode) => isWrittenByAll({ mode })),
    [false, false, false, true, true],
  )
})
