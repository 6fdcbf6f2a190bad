import assert from 'node:assert/strict'
import { afterEach, test } from 'node:test'
import type { Context } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { CommandFailure } from './failure.ts'
import { runToEnd } from './run-to-end.ts'

const exitCode = process.exitCode
afterEach(() => {
  process.exitCode = exitCode
})

/** Outputs that note what is written, and how long their reader is waited for. */
function aContext({ isRead = true, loss = undefined as Error | undefined, hasLostAnswer = false } = {}) {
  const written: string[] = []
  const waits: (number | undefined)[] = []
  const output = {
    write: (text: string) => written.push(text),
    flush: async (ms?: number) => {
      waits.push(ms)
      return isRead
    },
    loss,
    hasLostAnswer,
  }
  return { context: { stdout: output, stderr: output } as unknown as Context, written, waits }
}

test('a command that has done its work ends by itself when its output is read, and at once when it is not', async () => {
  const read = aContext()
  assert.deepEqual(await runToEnd(read.context, async () => undefined), {
    exitCode: EXIT.ok,
    mustExit: false,
  })
  assert.deepEqual(read.waits, [undefined], 'its reader has all the time that it takes')
  const unread = aContext({ isRead: false })
  const end = await runToEnd(unread.context, async () => {
    process.exitCode = EXIT.degraded
  })
  assert.deepEqual(end, { exitCode: EXIT.degraded, mustExit: true })
})

test('a command that fails says why, waits five seconds at most for its reader, and then must end', async () => {
  const { context, written, waits } = aContext()
  const end = await runToEnd(context, () => Promise.reject(new CommandFailure('no answer', EXIT.unavailable)))
  assert.deepEqual(end, { exitCode: EXIT.unavailable, mustExit: true })
  assert.deepEqual([written, waits], [['cohort: no answer\n'], [5_000, 5_000]])
})

test('a bug is thrown', async () => {
  await assert.rejects(
    runToEnd(aContext().context, () => Promise.reject(new TypeError('a bug'))),
    /a bug/,
  )
})

test('output that was lost is told, and counts in the exit code if it was the answer', async () => {
  const loss = new Error('no space')
  const beside = aContext({ loss })
  assert.equal((await runToEnd(beside.context, async () => undefined)).exitCode, EXIT.ok)
  assert.deepEqual(beside.written, ['cohort: not everything could be printed (no space)\n'])
  const answer = aContext({ loss, hasLostAnswer: true })
  assert.equal((await runToEnd(answer.context, async () => undefined)).exitCode, EXIT.unprinted)
})
