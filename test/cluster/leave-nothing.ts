/** Checks that the tests of a file leave no process and no temporary directory. */
import assert from 'node:assert/strict'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { STARTED_BY } from './service.ts'
import { PREFIX } from './temporary-directory.ts'

/** A killed process may still be in the process table for this long. */
const DYING_MS = 1_000
const POLL_MS = 50

const cleanUps: (() => PromiseLike<void>)[] = []
let isPromised = false

/**
 * To be called in each file of tests that start processes. When all tests of the file are over, it looks in
 * the process table for what they, or the processes that they started, have left running, and for their
 * directories. It removes both, and the file fails.
 */
export function leaveNothing(): void {
  if (isPromised) return
  isPromised = true
  after(async () => {
    for (const cleanUp of cleanUps) await cleanUp()
    let left = await startedProcesses(process.pid)
    for (const endMs = performance.now() + DYING_MS; left.length > 0 && performance.now() < endMs; ) {
      await sleep(POLL_MS)
      left = await startedProcesses(process.pid)
    }
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    const directories = (await readdir(tmpdir())).filter((name) => name.startsWith(PREFIX))
    for (const name of directories) await rm(join(tmpdir(), name), { recursive: true })
    assert.deepEqual(left, [], 'every process has ended')
    assert.deepEqual(directories, [], 'every temporary directory is removed')
  })
}

/**
 * For resources that several tests of a file share: `cleanUp` runs after the last of them, before
 * `leaveNothing` looks.
 */
export function afterAll(cleanUp: () => PromiseLike<void>): void {
  leaveNothing()
  cleanUps.push(cleanUp)
}

/** The processes that run and that the process `starter`, or one that it started, has started. */
export async function startedProcesses(starter: number): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = []
  // Without /proc (macOS) nothing is found.
  for (const name of await readdir('/proc').catch(() => [])) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || pid === starter) continue
    const environment = await contents(`/proc/${pid}/environ`)
    if (!environment.split('\0').includes(`${STARTED_BY}=${starter}`)) continue
    found.push({ pid, command: (await contents(`/proc/${pid}/cmdline`)).replaceAll('\0', ' ') })
  }
  return found
}

/** Empty for a process that has ended, and for processes of other users. */
function contents(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
