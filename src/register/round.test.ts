import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, EMPTY_RECORD } from './acceptor.ts'
import type { KeyRecord } from './messages.ts'
import type { Operation } from './operation.ts'
import { type Effect, type Memory, Proposer } from './proposer.ts'
import { quorumsOf } from './quorum.ts'
import type { Round } from './round.ts'
import { RULES } from './rules.ts'

type Sent = Extract<Effect<Operation>, { kind: 'send' }>

/**
 * Runs one operation against `records`; returns all its requests, in their order, and what is remembered of
 * the key.
 */
function run(
  records: KeyRecord[],
  operation: Pick<Operation, 'decide' | 'isRead'>,
  { memory, suspects = [] }: { memory?: Memory; suspects?: number[] } = {},
): { sent: Sent[]; memory: Memory } {
  let sequence = memory?.highestRoundNumber ?? 0
  const proposer = new Proposer<Operation>({
    proposerId: 7,
    quorums: quorumsOf(records.length),
    rules: RULES,
    nextSequence: () => (sequence += 1),
    suspects: records.map((_, node) => suspects.includes(node)),
    turn: 0,
    memory,
    roundNumberFloor: 0,
  })
  const sent: Sent[] = []
  const effects = [...proposer.submit({ ...operation, attempts: [] })]
  for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
    if (effect.kind !== 'send') continue
    sent.push(effect)
    const given = answer(records[effect.to]!, effect.request)
    records[effect.to] = given.record
    if (effect.request.kind !== 'mark') effects.push(...proposer.receive(effect.to, effect.token, given))
  }
  return { sent, memory: proposer.memory }
}

const write = {
  decide: () => ({ kind: 'propose', value: Uint8Array.of(1), result: 'written' }) as const,
}
const read = { decide: () => ({ kind: 'keep', result: 'read' }) as const, isRead: true }

/** The kinds of the rounds, and for each what was sent in it. */
function summaryOf({ sent }: ReturnType<typeof run>): string[] {
  const rounds = new Map<Round | undefined, string[]>()
  for (const { round, request } of sent) {
    rounds.set(round, [...(rounds.get(round) ?? []), request.kind])
  }
  return [...rounds].map(([round, kinds]) => `${round?.kind ?? 'none'}: ${kinds.join(' ')}`)
}

test('an accept at the shared ballot is a fast round, and the marks after it belong to none', () => {
  const records = [EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD]
  assert.deepEqual(summaryOf(run(records, write)), ['fast: accept accept accept', 'none: mark mark mark'])
})

test('a prepare and the accept after it are one classic round; the accept that follows is a led one', () => {
  const promised = { round: 9, proposerId: 3 }
  const records = Array(3).fill({ ...EMPTY_RECORD, promised })
  const [suspects, memory] = [[2], { view: undefined, highestRoundNumber: 9 }]
  const classic = run(records, write, { memory, suspects })
  assert.deepEqual(
    summaryOf(classic).filter((line) => !line.startsWith('none')),
    ['read: read read', 'classic: prepare prepare prepare accept accept accept'],
  )
  const led = run(records, write, { memory: classic.memory, suspects })
  assert.equal(summaryOf(led)[0], 'led: accept accept accept')
})

test('a read that asks further nodes is still one round, and the learns that it leads to belong to none', () => {
  const records: KeyRecord[] = [EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD]
  run(records, write, { suspects: [2] })
  // The first node has the state and no mark; the second has lost everything.
  records[0] = { ...records[0]!, chosen: false }
  records[1] = EMPTY_RECORD
  assert.deepEqual(summaryOf(run(records, read)), ['read: read read read', 'none: learn'])
})
