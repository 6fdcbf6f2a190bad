/** A signal that ends a backup leaves no file behind. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { restoreGroup } from '../../src/group/restore-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { testApp } from './test-app.ts'

const PROGRAM = fileURLToPath(new URL('../../bin/cohort', import.meta.url))
const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' }
/** The time that a start of the program may take on a busy machine. */
const START_MS = 30_000
/** The limit for steps that need no answer. */
const SOON_MS = 5_000

/** A registry that shows one page of groups, and never the next. */
class StuckRegistry extends MemoryRegistry {
  override scan(page: Parameters<MemoryRegistry['scan']>[0]) {
    return page.after === undefined ? super.scan(page) : new Promise<never>(() => undefined)
  }
}

/** A backup that has written a page, and waits for the next one. */
async function aBackup(t: TestContext) {
  const registry = new StuckRegistry()
  for (let index = 0; index < 600; index += 1) {
    const groupId = `g${index}`
    await registry.change(
      groupId,
      restoreGroup({ groupId, version: 1, incarnation: 'i', ...TIMES }, { life: 'l', author: AUTHOR }),
    )
  }
  const { app } = testApp({ engine: { registry }, drainTimeoutMs: 100 })
  const url = await app.listen({ port: 0, host: '127.0.0.1' })
  const directory = await mkdtemp(join(tmpdir(), 'cohort-interrupted-'))
  const child = spawn(process.execPath, [PROGRAM, 'backup', '--out', 'groups.jsonl', '--url', url], {
    cwd: directory,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  t.after(async () => {
    child.kill('SIGKILL')
    await app.close()
    await rm(directory, { recursive: true })
  })
  const ended = once(child, 'exit')
  const startMs = performance.now()
  const files = () => readdir(directory)
  while ((await files()).length === 0) {
    assert.ok(child.exitCode === null && performance.now() - startMs < START_MS, 'it begins a file')
    await pause(10)
  }
  assert.match((await files()).join(), /^groups\.jsonl\.partial-[0-9a-f]{8}$/)
  return { child, ended, files }
}

async function endsSoon(child: ChildProcess, ended: Promise<unknown>): Promise<number | null> {
  await Promise.race([ended, pause(SOON_MS).then(() => assert.fail('it goes on'))])
  return child.exitCode
}

// That SIGINT and SIGHUP do the same: src/cli/interruptible.test.ts.
test('a backup that SIGTERM ends leaves nothing behind, and ends with 130', async (t) => {
  const { child, ended, files } = await aBackup(t)
  child.kill('SIGTERM')
  assert.equal(await endsSoon(child, ended), 130)
  assert.deepEqual(await files(), [])
})

test('a backup that a second SIGINT ends at once leaves nothing behind', async (t) => {
  const { child, ended, files } = await aBackup(t)
  child.kill('SIGINT')
  child.kill('SIGINT')
  assert.equal(await endsSoon(child, ended), 130)
  assert.deepEqual(await files(), [])
})

test('a backup whose terminal is closed leaves nothing behind, although its messages cannot be written', async (t) => {
  const { child, ended, files } = await aBackup(t)
  child.stdout?.destroy()
  child.stderr?.destroy()
  child.kill('SIGHUP')
  assert.equal(await endsSoon(child, ended), 130)
  assert.deepEqual(await files(), [])
})
