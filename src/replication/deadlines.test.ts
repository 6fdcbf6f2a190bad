import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { Deadlines } from './deadlines.ts'

function aDeadlines() {
  const clock = new ManualClock()
  const ended: string[] = []
  const ends = new Map<string, () => void>()
  const deadlines = new Deadlines<string>(clock, (item) => {
    ended.push(`${item} at ${clock.nowMs()}`)
    ends.get(item)!()
  })
  const add = (item: string, endsAtMs: number) => ends.set(item, deadlines.add(item, endsAtMs))
  return { clock, deadlines, ended, add, end: (item: string) => ends.get(item)!() }
}

test('each operation ends when its time is over, the oldest first', () => {
  const { clock, deadlines, ended, add } = aDeadlines()
  add('a', 10)
  add('b', 20)
  clock.advance(9)
  assert.deepEqual(ended, [])
  clock.advance(20)
  assert.deepEqual(ended, ['a at 10', 'b at 20'])
  assert.equal(deadlines.count, 0)
})

test('an operation that begins later and ends sooner does not wait for the others', () => {
  const { clock, ended, add } = aDeadlines()
  add('new', 30)
  add('from the epoch before', 10)
  add('newer', 40)
  add('also from before', 20)
  clock.advance(25)
  assert.deepEqual(ended, ['from the epoch before at 10', 'also from before at 20'])
})

test('an operation that has ended by itself is not ended again', () => {
  const { clock, ended, add, end } = aDeadlines()
  add('a', 10)
  add('b', 20)
  end('a')
  clock.advance(100)
  assert.deepEqual(ended, ['b at 20'])
})

test('operations that are overdue when a stopped process goes on end before its timers run', () => {
  const { clock, deadlines, ended, add } = aDeadlines()
  add('a', 10)
  add('b', 50)
  clock.skip(20)
  deadlines.endOverdue()
  assert.deepEqual(ended, ['a at 20'])
})

test('operations that ended before their turn are skipped, however many there are', () => {
  const { clock, deadlines, ended, add, end } = aDeadlines()
  const names = Array.from({ length: 5_000 }, (_, index) => `${index}`)
  for (const name of names) add(name, 10)
  for (const name of names.slice(1, 4_000)) end(name)
  assert.equal(deadlines.count, 1_001)
  clock.advance(10)
  assert.deepEqual(ended, ['0 at 10', ...names.slice(4_000).map((name) => `${name} at 10`)])
})

test('no timer is left when all operations have ended, or after a stop', () => {
  const { clock, deadlines, add, end } = aDeadlines()
  add('a', 10)
  add('b', 20)
  assert.equal(clock.taskCount, 1)
  end('b')
  end('a')
  assert.equal(clock.taskCount, 0)
  add('c', 30)
  assert.deepEqual(deadlines.stop(), ['c'])
  assert.deepEqual([clock.taskCount, deadlines.count], [0, 0])
})
