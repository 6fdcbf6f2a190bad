import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'

const PROGRAM = `
  const { stopSignal } = await import(${JSON.stringify(new URL('stop-signal.ts', import.meta.url).href)})
  const stopped = stopSignal()
  const keepRunning = setInterval(() => {}, 1_000)
  process.send('ready')
  process.send(await stopped)
  process.once('message', () => {
    clearInterval(keepRunning)
    process.disconnect()
  })
`

/** A process that stops in order when it is told to, after a signal. */
async function aProcess() {
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = once(child, 'exit', { signal: AbortSignal.timeout(30_000) })
  const says = async (word: string) => {
    const [message] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
    assert.equal(message, word)
  }
  await says('ready')
  return { child, ended, says }
}

for (const [signal, second] of [
  ['SIGTERM', 'SIGINT'],
  ['SIGINT', 'SIGTERM'],
] as const) {
  test(`${signal} asks a process to stop, which ends in its own time; then ${second} ends it at once`, async () => {
    const orderly = await aProcess()
    orderly.child.kill(signal)
    await orderly.says(signal)
    assert.equal(orderly.child.exitCode, null)
    orderly.child.send('go on')
    assert.deepEqual(await orderly.ended, [0, null])

    const impatient = await aProcess()
    impatient.child.kill(signal)
    await impatient.says(signal)
    impatient.child.kill(second)
    assert.deepEqual(await impatient.ended, [1, null])
  })
}
