import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'

test('the oldest that has not ended is overdue first, and none before its time', () => {
  const deadlines = new Deadlines<string>()
  const endA = deadlines.add('a', 10)
  const endB = deadlines.add('b', 20)
  assert.equal(deadlines.overdue(9), undefined)
  assert.equal(deadlines.overdue(10), 'a')
  assert.equal(deadlines.overdue(25), 'a', 'until it has ended')
  endA()
  assert.equal(deadlines.overdue(19), undefined)
  assert.equal(deadlines.overdue(20), 'b')
  endB()
  assert.equal(deadlines.overdue(1e9), undefined)
})

test('those that end out of turn are passed over, however many there are', () => {
  const deadlines = new Deadlines<number>()
  const ends = Array.from({ length: 5_000 }, (_, index) => deadlines.add(index, index))
  for (const end of ends.slice(1, 4_000)) end()
  assert.equal(deadlines.overdue(10_000), 0)
  ends[0]!()
  assert.equal(deadlines.overdue(10_000), 4_000)
})
