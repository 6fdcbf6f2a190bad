import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { openLog } from './log.ts'

test('dropped lines are told of in a line like the others, also when only errors are logged', () => {
  const written: string[] = []
  let isFull = true
  const write = (text: string) => {
    if (isFull) throw new Error('no space left on device')
    written.push(text)
  }
  const log = openLog({ name: 'node', level: 'error' }, { write })
  log.logger.error('lost')
  log.logger.error('lost')
  log.logger.info('never written')
  assert.equal(log.droppedCount(), 2)
  isFull = false
  log.logger.error({ key: 'k' }, 'kept')
  const [gap, kept, ...more] = written.map((line) => JSON.parse(line))
  assert.equal(more.length, 0)
  assert.deepEqual(
    [gap.level, gap.name, gap.dropped, gap.msg],
    [40, 'node', 2, 'log lines could not be written and were dropped'],
  )
  assert.deepEqual(Object.keys(gap).slice(0, 5), Object.keys(kept).slice(0, 5))
  assert.deepEqual([kept.msg, kept.key], ['kept', 'k'])
})

test('a log whose reader takes nothing drops lines, and does not keep them in memory', async () => {
  const module = new URL('log.ts', import.meta.url).href
  const program = `
    const { openLog } = await import(${JSON.stringify(module)})
    const { logger, droppedCount } = openLog({ name: 'node', level: 'info' })
    for (let count = 0; count < 64; count += 1) logger.info({ text: 'x'.repeat(65536) }, 'a line')
    process.send({ dropped: droppedCount(), waiting: process.stdout.writableLength })
    process.disconnect()
    process.exit()
  `
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  })
  const [{ dropped, waiting }] = await once(child, 'message', { signal: AbortSignal.timeout(30_000) })
  child.kill('SIGKILL')
  assert.ok(dropped >= 40, `${dropped} of 64 lines of 64 KiB dropped`)
  assert.ok(waiting < 2 * 1_048_576, `${waiting} bytes wait`)
})
