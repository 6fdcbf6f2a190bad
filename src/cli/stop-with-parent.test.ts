/** A process that ends with the one that has started it. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { stopLimitMs } from './stop-with-parent.ts'

const MODULE = new URL('./stop-with-parent.ts', import.meta.url).href
const WAIT_MS = 60_000

/** A child with a channel to this process, which says `ready` and then does what the program says. */
async function aChild(t: TestContext, program: string): Promise<ChildProcess> {
  const text = `
    const { stopWithParent } = await import('${MODULE}')
    stopWithParent()
    ${program}
    console.log('ready')`
  const args = ['--input-type=module', '--eval', text]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  t.after(() => child.kill('SIGKILL'))
  await once(child.stdout!, 'data', { signal: AbortSignal.timeout(WAIT_MS) })
  return child
}

async function endOf(child: ChildProcess): Promise<unknown[]> {
  if (child.exitCode !== null) return [child.exitCode, child.signalCode]
  return once(child, 'exit', { signal: AbortSignal.timeout(WAIT_MS) })
}

test('a process that hangs after its parent is gone has the time of its drain, and 65 s at least', () => {
  assert.deepEqual([0, 60_000, 120_000].map(stopLimitMs), [65_000, 65_000, 125_000])
})

test('a process whose work is done ends, although its parent is there', async (t) => {
  const child = await aChild(t, '')
  assert.deepEqual(await endOf(child), [0, null])
  assert.equal(child.killed, false)
})

test('when its parent is gone, a process is told to stop, and ends when its work is done', async (t) => {
  const child = await aChild(
    t,
    `const work = setInterval(() => {}, 1_000)
    process.on('SIGTERM', () => { clearInterval(work); process.exitCode = 7 })`,
  )
  child.disconnect()
  assert.deepEqual(await endOf(child), [7, null])
})
