import assert from 'node:assert/strict'
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
