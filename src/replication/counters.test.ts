import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ballot } from '../register/ballot.ts'
import type { Request } from '../register/messages.ts'
import { ABSENT, successor } from '../register/state.ts'
import { Counters, RoundWatch } from './counters.ts'

const STATE = successor(ABSENT, { proposerId: 7, sequence: 1 }, Buffer.from('v'))

function accept(round: number, proposerId: number): Request {
  const ballot: Ballot = { round, proposerId }
  return { kind: 'accept', ballot, state: STATE, next: { round: round + 1, proposerId: 0 } }
}

function prepare(round: number): Request {
  return { kind: 'prepare', ballot: { round, proposerId: 7 } }
}

function aWatch() {
  const counters = new Counters()
  return { counters, watch: new RoundWatch(counters) }
}

test('a round is counted once, to however many nodes it goes', () => {
  const { counters, watch } = aWatch()
  for (let node = 0; node < 3; node += 1) watch.sent(1, accept(1, 0))
  // Asked after the others, because they did not tell.
  for (let node = 0; node < 3; node += 1) watch.sent(2, { kind: 'read' })
  assert.deepEqual(counters.rounds, { fast: 1, led: 0, classic: 0, read: 1 })
})

test('a prepare and the accept behind it are one classic round; the accept after that is led', () => {
  const { counters, watch } = aWatch()
  watch.sent(1, prepare(2))
  watch.sent(2, accept(2, 7))
  assert.deepEqual(counters.rounds, { fast: 0, led: 0, classic: 1, read: 0 })
  watch.sent(3, accept(3, 7))
  assert.deepEqual(counters.rounds, { fast: 0, led: 1, classic: 1, read: 0 })
})

test('learns and marks begin no round', () => {
  const { counters, watch } = aWatch()
  watch.sent(1, { kind: 'mark', ballot: { round: 1, proposerId: 0 }, writeId: STATE.writeId })
  watch.sent(2, accept(1, 0))
  watch.sent(2, {
    kind: 'learn',
    ballot: { round: 1, proposerId: 0 },
    state: STATE,
    next: { round: 2, proposerId: 0 },
  })
  assert.deepEqual(counters.rounds, { fast: 1, led: 0, classic: 0, read: 0 })
})

test('a round that several nodes refuse is refused once, and late answers of an older one count for nothing', () => {
  const { counters, watch } = aWatch()
  watch.sent(1, accept(1, 0))
  watch.answered(1, true)
  watch.answered(1, false)
  watch.answered(1, false)
  watch.sent(2, prepare(2))
  watch.answered(1, false)
  watch.answered(2, true)
  watch.sent(3, accept(2, 7))
  watch.answered(3, false)
  assert.deepEqual(counters.refusedRounds, { fast: 1, led: 0, classic: 1, read: 0 })
})
