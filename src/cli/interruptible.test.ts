import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { EXIT } from './exit-codes.ts'
import { runInterruptibly } from './interruptible.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

function listenerCounts(): number[] {
  return SIGNALS.map((signal) => process.listenerCount(signal))
}

test('a run leaves no listener, however it ends, and sets the exit code', async () => {
  const before = listenerCounts()
  const exitCode = process.exitCode
  try {
    await runInterruptibly(async () => EXIT.degraded)
    assert.equal(process.exitCode, EXIT.degraded)
    await assert.rejects(
      runInterruptibly(() => Promise.reject(new Error('lost'))),
      /lost/,
    )
    const aborted = new DOMException('aborted', 'AbortError')
    await runInterruptibly(() => Promise.reject(aborted))
    assert.equal(process.exitCode, EXIT.interrupted)
  } finally {
    process.exitCode = exitCode
  }
  assert.deepEqual(listenerCounts(), before)
})

for (const signal of SIGNALS) {
  test(`work that does not end after one ${signal} ends at once with the second`, async () => {
    const module = new URL('interruptible.ts', import.meta.url).href
    const program = `
      const { runInterruptibly } = await import(${JSON.stringify(module)})
      const keepRunning = setInterval(() => {}, 1_000)
      await runInterruptibly((signal) => {
        signal.addEventListener('abort', () => process.send('aborted'))
        process.send('running')
        return new Promise(() => {})
      })
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    try {
      const said = async (word: string) => {
        const [message] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
        assert.equal(message, word)
      }
      await said('running')
      child.kill(signal)
      await said('aborted')
      assert.equal(child.exitCode, null)
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(5_000) })
      child.kill(signal)
      assert.deepEqual(await ended, [EXIT.interrupted, null])
    } finally {
      child.kill('SIGKILL')
    }
  })
}
