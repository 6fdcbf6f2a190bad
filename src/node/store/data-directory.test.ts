import assert from 'node:assert/strict'
import fs, { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { assertNothingLeft, processCounts } from '../../testing/resource-counts.ts'
import { openDataDirectory } from './data-directory.ts'

test('a data directory is made with all of its parents, and opened again', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cohort-directory-'))
  t.after(() => rmSync(root, { recursive: true }))
  const directory = join(root, 'a', 'b', 'c')
  for (let time = 1; time <= 2; time += 1) openDataDirectory(directory).close()
  assert.ok(existsSync(join(directory, 'node.db')))
})

test('where a directory cannot be made, that is said: a file in the way, and a parent that takes no entries', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cohort-directory-'))
  t.after(() => rmSync(root, { recursive: true }))
  const file = join(root, 'file')
  writeFileSync(file, '')
  // Of the last one, only Linux says that it is there and nothing can be made in it.
  const directories = [file, join(file, 'a'), ...(existsSync('/proc/self') ? ['/proc/cohort/a'] : [])]
  for (const directory of directories) {
    assert.throws(() => openDataDirectory(directory), { code: 'data_directory_unusable' })
  }
})

test('only the user of the node can read what is in its data directory', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cohort-directory-'))
  t.after(() => rmSync(root, { recursive: true }))
  const directory = join(root, 'a', 'b')
  const { store, close } = openDataDirectory(directory)
  t.after(close)
  store.transaction(() => store.saveMembership(MEMBERSHIP))
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  assert.equal(modeOf(join(root, 'a')), '700')
  assert.equal(modeOf(directory), '700')
  for (const file of fs.readdirSync(directory)) assert.equal(modeOf(join(directory, file)), '600', file)
})

test('files that an older version left open to others are closed to them, and other files stay as they are', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'cohort-directory-'))
  t.after(() => rmSync(directory, { recursive: true }))
  openDataDirectory(directory).close()
  const other = join(directory, 'notes.txt')
  writeFileSync(other, '')
  for (const file of ['node.db', 'owner.lock', 'notes.txt']) fs.chmodSync(join(directory, file), 0o644)
  const opened = openDataDirectory(directory)
  t.after(opened.close)
  const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8)
  assert.equal(modeOf(other), '644')
  for (const file of ['node.db', 'owner.lock']) assert.equal(modeOf(join(directory, file)), '600', file)
  assert.ok(opened.isPrivate)
})

const MEMBERSHIP = {
  clusterId: 'c',
  epoch: 1,
  members: [{ nodeId: 'n', address: 'h:1' }],
  tombstoneGraceMs: 1,
}

test('a new data directory and its files are durable: each directory that has a new entry is synced', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cohort-directory-'))
  t.after(() => rmSync(root, { recursive: true }))
  const synced = new Set<string>()
  const fsync = fs.fsyncSync
  const mocked = t.mock.method(fs, 'fsyncSync', (fd: number) => {
    synced.add(fs.readlinkSync(`/proc/self/fd/${fd}`))
    fsync(fd)
  })
  syncBuiltinESMExports()
  t.after(() => {
    mocked.mock.restore()
    syncBuiltinESMExports()
  })
  openDataDirectory(join(root, 'a', 'b')).close()
  for (const directory of [root, join(root, 'a'), join(root, 'a', 'b')])
    assert.ok(synced.has(directory), directory)
})

test('a data directory leaves nothing open: after it is closed, when it is in use, and when its database is damaged', async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cohort-directory-'))
  t.after(() => rmSync(root, { recursive: true }))
  const directory = join(root, 'a')
  await assertNothingLeft(processCounts, () => openDataDirectory(directory).close())
  await assertNothingLeft(processCounts, () => {
    const owner = openDataDirectory(directory)
    assert.throws(() => openDataDirectory(directory), { code: 'data_directory_in_use' })
    owner.close()
  })
  writeFileSync(
    join(directory, 'node.db'),
    'this is no database, but long enough to be looked at'.repeat(100),
  )
  await assertNothingLeft(processCounts, () => {
    assert.throws(() => openDataDirectory(directory), { code: 'store_corrupt' })
  })
})
