/** When a command has done its work it ends, and does not wait for connections that nobody uses any more. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { BackupWriter } from '../../src/cli/backup/backup-format.ts'
import { createGroup } from '../../src/group/create-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { testApp } from './test-app.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
const NOW = '2026-01-01T00:00:00.000Z'
/** Far less than an idle connection is kept for: by the client for 4 s, by the connector for 72 s. */
const END_MS = 2_000

test('a command ends soon after the last line that it prints, whatever it has asked the API for', async () => {
  const { app, registry } = testApp()
  await registry.change(
    'there',
    createGroup({ groupId: 'there', now: NOW, author: AUTHOR, incarnation: 'i' }),
  )
  const directory = await mkdtemp(join(tmpdir(), 'cohort-command-end-'))
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const file = join(directory, 'groups.jsonl')
  const writer = new BackupWriter()
  const header = { clusterId: 'c', epoch: 1, startedAt: NOW, writtenBy: 'a test' }

  await writeFile(file, Buffer.concat([writer.header(header), writer.end(NOW)]))
  try {
    for (const args of [
      ['get', 'there'],
      ['status'],
      ['backup', '--out', join(directory, 'made.jsonl')],
      ['restore', '--in', file],
      ['remove', 'n1', '--no-wait'],
    ]) {
      const child = spawn(process.execPath, [PROGRAM, ...args, '--url', url], {
        env: { PATH: process.env.PATH },
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let lastMs = 0
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', () => {
          lastMs = performance.now()
        })
      }
      await once(child, 'exit', { signal: AbortSignal.timeout(30_000) })
      const tookMs = performance.now() - lastMs
      assert.ok(lastMs > 0 && tookMs < END_MS, `${args[0]} ended ${tookMs} ms after its last line`)
    }
  } finally {
    await app.close()
    await rm(directory, { recursive: true })
  }
})
