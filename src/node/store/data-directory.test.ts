import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
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
