import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fingerprintOf, fingerprintOfText, WaitingKeys } from './waiting-keys.ts'

const finding = (round: number) =>
  ({
    kind: 'tombstone',
    ballot: { round, proposerId: 0 },
    writeId: { proposerId: 7, sequence: 1 },
  }) as const

test('a key that is found again keeps the time of its first finding, and one that is not is forgotten', () => {
  const waiting = new WaitingKeys(10)
  const [a, b] = ['a', 'b'].map((key) => fingerprintOf(key, finding(1))) as [Fingerprint, Fingerprint]
  assert.equal(waiting.see(a, 5), 5)
  assert.equal(waiting.see(b, 6), 6)
  waiting.endWalk()
  assert.deepEqual([waiting.size, waiting.oldestMs], [2, 5])
  assert.equal(waiting.see(b, 9), 6)
  assert.ok(waiting.has(a))
  waiting.endWalk()
  assert.ok(!waiting.has(a))
  assert.deepEqual([waiting.size, waiting.oldestMs], [1, 6])
})

test('what one walk finds again and again keeps the time of its first finding, and needs room once', () => {
  const waiting = new WaitingKeys(1)
  const life = fingerprintOfText('the end of a life')
  assert.deepEqual(
    [5, 6, 90].map((nowMs) => waiting.see(life, nowMs)),
    [5, 5, 5],
  )
  assert.equal(waiting.see(fingerprintOfText('the end of another life'), 91), undefined)
  waiting.endWalk()
  assert.equal(waiting.see(life, 100), 5)
})

test('a different finding of the same key starts a new time', () => {
  const waiting = new WaitingKeys(10)
  waiting.see(fingerprintOf('a', finding(1)), 5)
  waiting.endWalk()
  assert.equal(waiting.see(fingerprintOf('a', finding(2)), 9), 9)
})

test('a walk that ends early forgets nothing', () => {
  const waiting = new WaitingKeys(10)
  waiting.see(fingerprintOf('a', finding(1)), 5)
  waiting.endWalk()
  waiting.see(fingerprintOf('b', finding(1)), 6)
  waiting.abortWalk()
  assert.equal(waiting.see(fingerprintOf('a', finding(1)), 9), 5)
  waiting.forgetAll()
  assert.equal(waiting.see(fingerprintOf('a', finding(1)), 9), 9)
})

test('each of a hundred thousand keys is found again', () => {
  const waiting = new WaitingKeys(100_000)
  for (let i = 0; i < 100_000; i += 1) waiting.see(fingerprintOf(`k${i}`, finding(1)), i)
  assert.ok(waiting.isFull)
  assert.equal(waiting.see(fingerprintOf('more', finding(1)), 1), undefined)
  waiting.endWalk()
  for (let i = 0; i < 100_000; i += 1) assert.equal(waiting.see(fingerprintOf(`k${i}`, finding(1)), -1), i)
})

type Fingerprint = ReturnType<typeof fingerprintOf>

test('what only a walk has found that ended early is not among the keys that wait', () => {
  const waiting = new WaitingKeys(100)
  const [gone, kept] = ['gone', 'kept'].map((key) => fingerprintOf(key, finding(1))) as [
    Fingerprint,
    Fingerprint,
  ]
  waiting.see(gone, 1)
  waiting.abortWalk()
  waiting.see(kept, 2)
  waiting.endWalk()
  assert.deepEqual(
    [waiting.size, waiting.has(gone), waiting.has(kept), waiting.oldestMs],
    [1, false, true, 2],
  )
})
