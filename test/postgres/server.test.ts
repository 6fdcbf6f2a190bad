/** The servers of the tests end with the tests, also with tests that are killed. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { leaveNothing } from '../cluster/leave-nothing.ts'
import { freePorts } from '../cluster/ports.ts'
import { STARTED_BY } from '../cluster/service.ts'
import { temporaryDirectory } from '../cluster/temporary-directory.ts'
import { until } from '../cluster/waiting.ts'
import { copyAs, handOver } from './programs.ts'
import { sharedTrio } from './shared-trio.ts'

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

test('a server ends when the process that has started it is killed', async () => {
  const { programs, pristineData } = await sharedTrio()
  await using directory = await temporaryDirectory()
  await handOver(directory.path, 0o777)
  const dataDir = join(directory.path, 'data')
  await copyAs(pristineData, dataDir)
  const [port] = await freePorts(1)
  const module = new URL('server.ts', import.meta.url)
  const script = `
    const { Server } = await import(${JSON.stringify(module.href)})
    const server = new Server('s', ${port}, ${JSON.stringify(dataDir)}, ${JSON.stringify(programs)})
    await server.configure(["listen_addresses = '127.0.0.1'", "unix_socket_directories = ''", 'fsync = off'])
    await server.start()
    console.log(server.pid)
    setInterval(() => {}, 1_000)`
  const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, [STARTED_BY]: String(process.pid) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  starter.stdout.on('data', (chunk) => (output += chunk))
  await until('the server is started', MINUTE_MS, () => output.endsWith('\n'))
  const pid = Number(output)
  assert.ok(isThere(pid))
  const exit = once(starter, 'exit')
  starter.kill('SIGKILL')
  await exit
  await until('the server has ended', MINUTE_MS, () => !isThere(pid))
})
