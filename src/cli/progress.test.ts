import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Progress, progressBar, progressLine } from './progress.ts'

const STATE = { label: 'created', done: 300, total: 1_000, note: '5,120/s' }

function recorded(columns: number | undefined) {
  const written: string[] = []
  const clock = { ms: 0 }
  const write = (text: string) => void written.push(text)
  const progress = new Progress({ write, draw: write, columns, nowMs: () => clock.ms })
  return { progress, written, clock }
}

test('a bar shows the share, the counts and the note', () => {
  assert.equal(progressBar(STATE, 100), 'created [#########---------------------]  30 %  300/1,000  5,120/s')
  assert.equal(progressLine(STATE), 'created 300 of 1,000  5,120/s')
  assert.equal(progressLine({ ...STATE, note: '' }), 'created 300 of 1,000')
  assert.equal(progressLine({ ...STATE, total: undefined }), 'created 300  5,120/s')
  assert.equal(progressBar({ ...STATE, total: undefined }, 100), 'created 300  5,120/s')
})

test('a bar is never wider than the terminal, and shows 100 % only when all is done', () => {
  const state = fc
    .tuple(fc.nat(1_000_000), fc.nat(1_000_000), fc.string({ maxLength: 30 }))
    .map(([a, b, note]) => ({ label: 'created', done: Math.min(a, b), total: Math.max(a, b), note }))
  fc.assert(
    fc.property(state, fc.integer({ min: 1, max: 300 }), (some, columns) => {
      const bar = progressBar(some, columns)
      assert.ok(bar.length < columns || columns === 1)
      if (columns > 150) assert.equal(bar.includes('100 %'), some.done === some.total)
    }),
  )
})

test('without a terminal a plain line comes now and then, and always at the end', () => {
  const { progress, written, clock } = recorded(undefined)
  for (let done = 0; done <= 1_000; done += 1) {
    clock.ms = done * 5
    progress.show({ ...STATE, done })
  }
  progress.finish({ ...STATE, done: 1_000 })
  assert.deepEqual(
    written.map((text) => text.split('  ')[0]),
    ['created 400 of 1,000', 'created 800 of 1,000', 'created 1,000 of 1,000'],
  )
  assert.ok(written.every((text) => text.endsWith('\n') && !text.includes('\r')))
})

test('on a terminal the bar is redrawn in its line, which ends with the last one', () => {
  const { progress, written, clock } = recorded(80)
  progress.show(STATE)
  clock.ms = 10
  progress.show(STATE)
  clock.ms = 100
  progress.show(STATE)
  progress.finish({ ...STATE, done: 1_000 })
  assert.equal(written.length, 4, 'one was too soon')
  assert.ok(written.slice(0, 3).every((text) => text.startsWith('\r\x1b[2K') && !text.includes('\n')))
  assert.equal(written[3], '\n')
})
