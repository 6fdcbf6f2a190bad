import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, EMPTY_RECORD } from './acceptor.ts'
import type { KeyRecord } from './messages.ts'
import type { Operation, Outcome } from './operation.ts'
import { type Effect, type Memory, Proposer } from './proposer.ts'
import { quorumsOf } from './quorum.ts'
import { RULES } from './rules.ts'
import { LINEAGE_LENGTH, type Value } from './state.ts'

/** Three nodes, and connectors whose messages arrive at once: nothing is lost, late or out of order. */
class HealthyCluster {
  readonly records: KeyRecord[] = [EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD]

  run(
    proposerId: number,
    memory: Memory | undefined,
    decide: Operation['decide'],
    needsRound = false,
  ): { outcome: Outcome; memory: Memory } {
    let sequence = memory?.highestRoundNumber ?? 0
    const proposer = new Proposer<Operation>({
      proposerId,
      quorums: quorumsOf(3),
      rules: RULES,
      nextSequence: () => {
        sequence += 1
        return sequence
      },
      suspects: [false, false, false],
      turn: 0,
      memory,
      roundNumberFloor: 0,
    })
    let outcome: Outcome | undefined
    const pending: Effect<Operation>[] = [...proposer.submit({ decide, needsRound, attempts: [] })]
    for (let effect = pending.shift(); effect !== undefined; effect = pending.shift()) {
      if (effect.kind === 'finish') outcome = effect.outcome
      else if (effect.kind === 'backoff') pending.push(...proposer.resume(effect.token))
      else {
        const given = answer(this.records[effect.to]!, effect.request)
        this.records[effect.to] = given.record
        if (effect.request.kind !== 'mark') pending.push(...proposer.receive(effect.to, effect.token, given))
      }
    }
    assert.ok(outcome !== undefined && proposer.isIdle)
    return { outcome, memory: proposer.memory }
  }
}

const write = (_value: Value) => ({ kind: 'propose', value: Uint8Array.of(1), result: 'written' }) as const
const createOnly = (value: Value) =>
  value === undefined ? write(value) : ({ kind: 'keep', result: 'exists' } as const)

function aClusterWithHistory(writes: number): { cluster: HealthyCluster; oldMemory: Memory } {
  const cluster = new HealthyCluster()
  const { memory: oldMemory } = cluster.run(2, undefined, write)
  let memory: Memory | undefined
  for (let i = 0; i < writes; i += 1) memory = cluster.run(1, memory, write).memory
  return { cluster, oldMemory }
}

test('a view older than the lineage costs round trips, but the outcome is known: a healthy cluster once answered unknown', () => {
  const { cluster, oldMemory } = aClusterWithHistory(LINEAGE_LENGTH + 1)
  const { outcome } = cluster.run(2, oldMemory, write)
  assert.deepEqual(outcome, { kind: 'decided', result: 'written' })
})

test('a connector that has never seen a key with a long history is told at once that it exists', () => {
  const { cluster } = aClusterWithHistory(3 * LINEAGE_LENGTH)
  assert.deepEqual(cluster.run(3, undefined, createOnly).outcome, { kind: 'decided', result: 'exists' })
})

test('a read that ends before it is answered takes its view along, or views would grow old unnoticed', () => {
  const { oldMemory } = aClusterWithHistory(1)
  const proposer = new Proposer<Operation>({
    proposerId: 2,
    quorums: quorumsOf(3),
    rules: RULES,
    nextSequence: () => 99,
    suspects: [false, false, false],
    turn: 0,
    memory: oldMemory,
    roundNumberFloor: 0,
  })
  assert.ok(oldMemory.view !== undefined)
  const reading: Operation = { decide: (value) => ({ kind: 'keep', result: value }), attempts: [] }
  proposer.submit(reading)
  proposer.expire(reading)
  assert.equal(proposer.memory.view, undefined)
})

test('an operation that needs a round gets one, and leaves absence chosen above every promise', () => {
  const cluster = new HealthyCluster()
  const { outcome, memory } = cluster.run(
    4,
    { view: undefined, highestRoundNumber: 6 },
    () => ({ kind: 'keep', result: 'settled' }),
    true,
  )
  assert.deepEqual(outcome, { kind: 'decided', result: 'settled' })
  assert.deepEqual(memory.view?.state.generation, 0)
  for (const { accepted, state } of cluster.records) {
    assert.deepEqual([accepted, state.generation], [{ round: 7, proposerId: 4 }, 0])
  }
})
