import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Mark } from '../../register/messages.ts'
import { PendingMarks } from './pending-marks.ts'

const mark = (round: number) => ({ kind: 'mark', ballot: { round, proposerId: 1 } }) as unknown as Mark

/** Takes out up to so many marks. */
function taken(marks: PendingMarks, limit: number): string[] {
  const keys: string[] = []
  marks.take(limit, (key) => keys.push(key))
  return keys
}

test('a bounded number of marks is kept: the oldest are dropped, and a key that is marked again is new', () => {
  const marks = new PendingMarks()
  for (let number = 0; number < 16_384; number += 1) marks.add(`k${number}`, mark(1))
  marks.add('k0', mark(2))
  marks.add('more', mark(1))
  assert.deepEqual([marks.get('k0'), marks.get('k1'), marks.get('k2')], [mark(2), undefined, mark(1)])
  assert.equal(taken(marks, Number.POSITIVE_INFINITY).length, 16_384)
  assert.ok(marks.isEmpty)
})

test('marks are taken out once, oldest first, and no more than asked for', () => {
  const marks = new PendingMarks()
  for (const key of ['a', 'b', 'c', 'd']) marks.add(key, mark(1))
  marks.remove('b')
  assert.deepEqual([taken(marks, 2), taken(marks, 2), taken(marks, 2)], [['a', 'c'], ['d'], []])
})
