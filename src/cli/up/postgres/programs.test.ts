import assert from 'node:assert/strict'
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findPrograms } from './programs.ts'

/** Directories of programs that say that they are of these versions. */
async function installed(root: string, versions: readonly string[]): Promise<string[]> {
  const directories: string[] = []
  for (const version of versions) {
    const directory = join(root, version)
    await mkdir(directory)
    for (const program of ['postgres', 'initdb']) {
      const script = `#!/bin/sh\necho "${program} (PostgreSQL) ${version} (Debian ${version}-1)"\n`
      await writeFile(join(directory, program), script, { mode: 0o755 })
    }
    directories.push(directory)
  }
  return directories
}

test('the newest Postgres is taken, or the one of the data; without one, it is said what to install', async () => {
  await using root = await mkdtempDisposable(join(tmpdir(), 'programs-'))
  const [old, first, newest] = await installed(root.path, ['13.23', '15.18', '18.4'])
  await mkdir(join(root.path, 'without'))
  const search = {
    path: `${root.path}/nowhere:${root.path}/without:${old}:${first}`,
    places: [`${root.path}/1[78]*`],
  }
  assert.deepEqual(await findPrograms(undefined, search), { directory: newest, major: 18 })
  assert.deepEqual(await findPrograms(15, search), { directory: first, major: 15 })
  await assert.rejects(findPrograms(17, search), {
    message:
      'Postgres 17, with which the data were made, is not installed here: install it ("apt install postgresql", ' +
      '"brew install postgresql@18"), put the directory of its programs "postgres" and "initdb" on the PATH, or name a ' +
      'database with --database',
  })
  await assert.rejects(
    findPrograms(undefined, { path: old!, places: [] }),
    /^CommandFailure: Postgres 14 or newer is not installed here: install it/,
  )
})
