import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { CommandFailure } from '../failure.ts'
import { checkLayout, makeLayout } from './data-layout.ts'

async function inDirectory(run: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-layout-'))
  try {
    await run(directory)
  } finally {
    await rm(directory, { recursive: true })
  }
}

function refused(message: RegExp, exitCode: number) {
  return (error: unknown) =>
    error instanceof CommandFailure && error.exitCode === exitCode && message.test(error.message)
}

test('a directory that is not there, or is empty, takes any number of nodes', async () => {
  await inDirectory(async (directory) => {
    await checkLayout(directory, 5)
    await checkLayout(join(directory, 'not-there'), 3)
  })
})

test('a cluster is found again, and another number of nodes is refused', async () => {
  await inDirectory(async (directory) => {
    const dataDir = join(directory, 'a', 'b')
    await makeLayout(dataDir, 3)
    assert.deepEqual(await readdir(dataDir), ['cluster.json', 'node1', 'node2', 'node3'])
    await checkLayout(dataDir, 3)
    await makeLayout(dataDir, 3)
    for (const count of [1, 5]) {
      await assert.rejects(
        checkLayout(dataDir, count),
        refused(/holds the data of 3 nodes, but .* asked for: use --nodes 3, or another --data-dir$/, 2),
      )
    }
  })
})

test('a node whose folder is lost still counts as a node of the cluster', async () => {
  await inDirectory(async (dataDir) => {
    await makeLayout(dataDir, 3)
    await rm(join(dataDir, 'node3'), { recursive: true })
    await checkLayout(dataDir, 3)
    await assert.rejects(checkLayout(dataDir, 1), refused(/holds the data of 3 nodes, but 1 node/, 2))
  })
})

test('folders of nodes that were started by hand count too', async () => {
  await inDirectory(async (dataDir) => {
    await mkdir(join(dataDir, 'node1'))
    await mkdir(join(dataDir, 'node5'))
    await mkdir(join(dataDir, 'node5.old'))
    await checkLayout(dataDir, 5)
    await assert.rejects(checkLayout(dataDir, 3), refused(/holds the data of 5 nodes/, 2))
  })
})

test('a data directory that is no directory is refused by its path', async () => {
  await inDirectory(async (directory) => {
    const file = join(directory, 'file')
    await writeFile(file, '')
    await assert.rejects(checkLayout(file, 3), refused(/data directory .*file cannot be read/, 1))
    await assert.rejects(makeLayout(file, 3), refused(/data directory .*file cannot be used/, 1))
  })
})

test('a cluster that starts again writes nothing, so that it can start on a full disk', async () => {
  await inDirectory(async (dataDir) => {
    await makeLayout(dataDir, 3)
    const path = join(dataDir, 'cluster.json')
    const before = await stat(path)
    await makeLayout(dataDir, 3)
    const after = await stat(path)
    assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs])
  })
})
