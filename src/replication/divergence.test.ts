import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { pino } from 'pino'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import type { Ballot } from '../register/ballot.ts'
import type { KeyRecord } from '../register/messages.ts'
import { ABSENT, successor } from '../register/state.ts'
import { Divergences, findDivergences, type Replica } from './divergence.ts'

type Shape = Readonly<{ round?: number; sequence?: number; value?: string; chosen?: boolean }>

function aRecord({ round = 1, sequence = 1, value = 'v', chosen = true }: Shape = {}): KeyRecord {
  const accepted: Ballot = { round, proposerId: 0 }
  const state = successor(ABSENT, { proposerId: 7, sequence }, Buffer.from(value))
  return { promised: { round: round + 1, proposerId: 0 }, accepted, state, chosen, isStub: false }
}

function replicas(...records: readonly KeyRecord[]): Replica[] {
  return records.map((record, index) => ({ nodeId: `n${index + 1}`, record }))
}

function alarm(max?: number) {
  const logged: { level: number; msg: string; [field: string]: unknown }[] = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(JSON.parse(line)) })
  return { divergences: new Divergences(logger, max), logged }
}

test('different states, both marked chosen at one ballot, diverge', () => {
  const found = findDivergences('group/a', replicas(aRecord(), aRecord({ sequence: 2 }), aRecord()))
  assert.deepEqual(
    found.map((divergence) => divergence.replicas.map(({ nodeId }) => nodeId)),
    [
      ['n1', 'n2'],
      ['n2', 'n3'],
    ],
  )
})

test('values with different bits diverge, although the writeId is the same', () => {
  assert.equal(findDivergences('group/a', replicas(aRecord(), aRecord({ value: 'w' }))).length, 1)
})

test('differences that the protocol itself makes are no divergence', () => {
  const cases: KeyRecord[][] = [
    [aRecord(), aRecord()],
    // A fast ballot that was voted on differently: only one of the states can be marked.
    [aRecord(), aRecord({ sequence: 2, chosen: false })],
    // A node that lags.
    [aRecord({ round: 2, sequence: 2 }), aRecord()],
    [aRecord(), EMPTY_RECORD],
    [EMPTY_RECORD, EMPTY_RECORD],
  ]
  for (const records of cases) assert.deepEqual(findDivergences('group/a', replicas(...records)), [])
})

test('which of two nodes is looked at first does not matter', () => {
  const record = fc
    .record({ round: fc.integer({ min: 1, max: 2 }), sequence: fc.nat(2), chosen: fc.boolean() })
    .map(aRecord)
  fc.assert(
    fc.property(fc.array(record, { minLength: 2, maxLength: 5 }), (records) => {
      const forwards = findDivergences('k', replicas(...records))
      const backwards = findDivergences('k', replicas(...records.toReversed()))
      assert.equal(forwards.length, backwards.length)
    }),
  )
})

test('a divergence is logged at error once for each pair, and counted', () => {
  const { divergences, logged } = alarm()
  const held = replicas(aRecord(), aRecord({ sequence: 2 }), aRecord({ sequence: 3 }))
  assert.equal(divergences.observe('group/a', held).length, 3)
  assert.equal(divergences.observe('group/a', held).length, 3)
  assert.equal(divergences.total, 3)
  assert.equal(divergences.open.length, 3)
  assert.deepEqual(
    logged.map(({ level, key }) => [level, key]),
    Array(3).fill([50, 'group/a']),
  )
  assert.deepEqual(logged[0]?.one, { node: 'n1', state: '7.1@1' })
  assert.match(logged[0]?.msg ?? '', /^divergence: .*Neither is overwritten/)
})

test('a divergence that was mended is shown no longer, but stays counted; elsewhere it goes on', () => {
  const { divergences, logged } = alarm()
  divergences.observe('group/a', replicas(aRecord(), aRecord({ sequence: 2 })))
  divergences.observe('group/b', replicas(aRecord(), aRecord({ sequence: 2 })))
  // Only one of the two answers: nothing is known to be mended.
  divergences.observe('group/a', replicas(aRecord()))
  assert.equal(divergences.open.length, 2)
  divergences.observe('group/a', replicas(aRecord(), aRecord()))
  assert.deepEqual(
    divergences.open.map(({ key }) => key),
    ['group/b'],
  )
  assert.equal(divergences.total, 2)
  assert.equal(logged.at(-1)?.msg, 'a divergence has ended')
})

test('memory is bounded, however many divergences there are, and the log says once that no more are counted', () => {
  const { divergences, logged } = alarm(2)
  for (const key of ['a', 'b', 'c', 'd']) {
    divergences.observe(key, replicas(aRecord(), aRecord({ sequence: 2 })))
  }
  assert.equal(divergences.open.length, 2)
  assert.equal(divergences.total, 2)
  assert.equal(logged.length, 3)
  assert.match(logged[2]?.msg ?? '', /there are too many divergences/)
})
