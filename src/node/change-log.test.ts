import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, EMPTY_RECORD } from '../register/acceptor.ts'
import type { KeyRecord, Request } from '../register/messages.ts'
import { successor } from '../register/state.ts'
import { ChangeLog } from './change-log.ts'

const VOTES_END_MS = 12_000

/** A log, and the records of its node, to which a test sends requests. */
function aLog({ capacity = 8, isNew = true } = {}) {
  const time = { nowMs: 1_000 }
  const log = new ChangeLog({ life: 'life', nowMs: () => time.nowMs, capacity, isNew })
  const records = new Map<string, KeyRecord>()
  let sequence = 0
  const request = (key: string, sent: Request) => {
    const before = records.get(key) ?? EMPTY_RECORD
    const { record } = answer(before, sent)
    if (sent.kind === 'mark') log.marked(key, sent.writeId)
    else if (record !== before) log.saved(key, before, record)
    records.set(key, record)
  }
  const write = (key: string, kind: 'accept' | 'learn' = 'accept') => {
    sequence += 1
    const { state, promised } = records.get(key) ?? EMPTY_RECORD
    const writeId = { proposerId: 7, sequence }
    const ballot = { round: promised.round, proposerId: 0 }
    const next = { round: promised.round + 1, proposerId: 0 }
    request(key, { kind, ballot, state: successor(state, writeId, Buffer.from('x')), next })
    return { ballot, writeId }
  }
  const mark = (key: string, { ballot, writeId }: ReturnType<typeof write>) =>
    request(key, { kind: 'mark', ballot, writeId })
  const open = () => log.begin(VOTES_END_MS)?.keys
  return { log, time, request, write, mark, open }
}

test('the changes after a position are told in their order, each key once', () => {
  const { log, write } = aLog()
  for (const key of ['a', 'b', 'a', 'c']) write(key)
  assert.deepEqual(log.since('life', 0, 100), { keys: ['a', 'b', 'c'], position: 4 })
  assert.deepEqual(log.since('life', 1, 100), { keys: ['b', 'a', 'c'], position: 4 })
  assert.deepEqual(log.since('life', 1, 2), { keys: ['b', 'a'], position: 3 })
  assert.deepEqual(log.since('life', 4, 100), { keys: [], position: 4 })
})

test('what only promises, repeats or marks is no change', () => {
  const { log, request, write, mark } = aLog()
  const first = write('a')
  mark('a', first)
  request('a', { kind: 'prepare', ballot: { round: 5, proposerId: 3 } })
  request('b', { kind: 'prepare', ballot: { round: 5, proposerId: 3 } })
  assert.equal(log.position, 1)
})

test('a position that is older than the ring, of another life, or ahead is one from which it cannot go on', () => {
  const { log, write } = aLog({ capacity: 4 })
  for (const key of ['a', 'b', 'c', 'd', 'e']) write(key)
  assert.deepEqual(log.since('life', 1, 100)?.keys, ['b', 'c', 'd', 'e'])
  assert.equal(log.since('life', 0, 100), undefined)
  assert.equal(log.since('other', 5, 100), undefined)
  assert.equal(log.since('life', 6, 100), undefined)
})

test('a vote is open until its own write is marked or learned as chosen', () => {
  const { write, mark, open } = aLog()
  const first = write('a')
  const second = write('a')
  assert.deepEqual(open(), ['a'])
  mark('a', first)
  assert.deepEqual(open(), ['a'], 'the mark was for an older write')
  mark('a', second)
  assert.deepEqual(open(), [])
  write('b')
  write('b', 'learn')
  assert.deepEqual(open(), [])
})

test('an open vote is known for as long as it may be chosen, and forgotten some time later', () => {
  const { log, time, write, open } = aLog()
  write('a')
  time.nowMs += VOTES_END_MS
  log.committed()
  assert.deepEqual(open(), ['a'])
  for (let period = 0; period < 2; period += 1) {
    time.nowMs += 15_000
    log.committed()
  }
  assert.deepEqual(open(), [])
})

test('a node that has records when it starts knows its open votes only after a while', () => {
  const { time, open } = aLog({ isNew: false })
  assert.equal(open(), undefined)
  time.nowMs += VOTES_END_MS - 1
  assert.equal(open(), undefined)
  time.nowMs += 1
  assert.deepEqual(open(), [])
})

test('with more open votes than it remembers, it says for a while that it does not know them', () => {
  const { log, time, write, open } = aLog()
  for (let index = 0; index < 65_536; index += 1) write(`key ${index}`)
  log.committed()
  assert.equal(open(), undefined)
  time.nowMs += VOTES_END_MS
  assert.equal(open()?.length, 65_536)
})

test('those who wait are told once, after a turn that has changed something', () => {
  const { log, request, write } = aLog()
  let count = 0
  const wait = () => log.onNews(() => count++)
  wait()
  request('a', { kind: 'prepare', ballot: { round: 5, proposerId: 3 } })
  log.committed()
  assert.equal(count, 0)
  write('b')
  log.committed()
  write('b')
  log.committed()
  assert.equal(count, 1)
  wait()()
  write('b')
  log.committed()
  assert.equal(count, 1)
})
