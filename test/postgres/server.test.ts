/** The servers of the tests end with the tests, also with tests that are killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { STARTED_BY } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { until } from '../cluster/waiting.ts'
import { handOver } from './programs.ts'

leaveNothing()

const MINUTE_MS = 60_000

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('servers end when the process that has started them is killed', async () => {
  await using directory = await temporaryDirectory()
  await handOver(directory.path, 0o755)
  const trio = new URL('trio.ts', import.meta.url)
  const script = `
    const { Trio } = await import(${JSON.stringify(trio.href)})
    const { servers } = await Trio.start()
    console.log(JSON.stringify(servers.map(({ pid }) => pid)))
    setInterval(() => {}, 1_000)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: directory.path, [STARTED_BY]: String(process.pid) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  starter.stdout.on('data', (chunk) => (output += chunk))
  await until('the servers are started', MINUTE_MS, () => output.endsWith('\n'))
  const pids: number[] = JSON.parse(output)
  assert.equal(pids.length, 3)
  const exit = once(starter, 'exit')
  starter.kill('SIGKILL')
  await exit
  await until('the servers have ended', MINUTE_MS, () => !pids.some(isThere))
})
