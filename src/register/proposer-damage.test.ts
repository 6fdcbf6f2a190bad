import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answer, EMPTY_RECORD } from './acceptor.ts'
import { isDamage, onDamaged } from './damage.ts'
import type { Holding, Reply, Request } from './messages.ts'
import type { Operation, Outcome } from './operation.ts'
import { type Effect, Proposer } from './proposer.ts'
import { quorumsOf } from './quorum.ts'
import { RULES } from './rules.ts'

const BYTES = Uint8Array.of(1)

/** Three nodes, some of which hold damaged records, and one connector. Every message arrives at once. */
class Nodes {
  readonly holdings: Holding[]
  readonly sent: Request['kind'][] = []
  outcome: Outcome | undefined
  readonly proposer = new Proposer({
    proposerId: 7,
    quorums: quorumsOf(3),
    rules: RULES,
    nextSequence: () => 1,
    suspects: [false, false, false],
    turn: 0,
    memory: undefined,
    roundNumberFloor: 0,
  })

  constructor(holdings: readonly Holding[] = [EMPTY_RECORD, EMPTY_RECORD, EMPTY_RECORD]) {
    this.holdings = [...holdings]
  }

  run(operation: Omit<Operation, 'attempts'>): Outcome | undefined {
    this.outcome = undefined
    const effects: Effect<Operation>[] = [...this.proposer.submit({ ...operation, attempts: [] })]
    for (let effect = effects.shift(); effect !== undefined; effect = effects.shift()) {
      if (effect.kind === 'finish') this.outcome = effect.outcome
      else if (effect.kind === 'send') {
        this.sent.push(effect.request.kind)
        const reply = this.#reply(effect.to, effect.request)
        if (effect.request.kind !== 'mark')
          effects.push(...this.proposer.receive(effect.to, effect.token, reply))
      }
    }
    return this.outcome
  }

  #reply(node: number, request: Request): Reply {
    const holding = this.holdings[node]!
    const reply = isDamage(holding) ? (onDamaged(holding, request) ?? holding) : answer(holding, request)
    this.holdings[node] = isDamage(reply) ? reply : reply.record
    return reply
  }
}

const CREATE: Omit<Operation, 'attempts'> = {
  decide: () => ({ kind: 'propose', value: BYTES, result: 'created' }),
}
const SETTLE: Omit<Operation, 'attempts'> = {
  decide: () => ({ kind: 'keep', result: 'settled' }),
  needsRound: true,
}
const READ: Omit<Operation, 'attempts'> = {
  decide: (value) => ({ kind: 'keep', result: value }),
  isRead: true,
}

test('a write goes on without the vote of a damaged record, and heals it', () => {
  const nodes = new Nodes([{ promiseBound: 40 }, EMPTY_RECORD, EMPTY_RECORD])
  assert.deepEqual(nodes.run(CREATE), { kind: 'decided', result: 'created' })
  const [healed, other] = nodes.holdings
  assert.ok(healed !== undefined && !isDamage(healed) && other !== undefined && !isDamage(other))
  assert.deepEqual(healed.accepted, { round: 41, proposerId: 7 })
  assert.deepEqual(healed.state, other.state)
  assert.ok(healed.chosen)
})

test('a round that is not above the bound heals nothing, and the one after it does', () => {
  const nodes = new Nodes([EMPTY_RECORD, EMPTY_RECORD, { promiseBound: 40 }])
  nodes.run(SETTLE)
  assert.deepEqual(nodes.holdings[2], { promiseBound: 40 })
  nodes.run(SETTLE)
  assert.ok(!isDamage(nodes.holdings[2]!))
})

test('a read gives what was chosen above the bound to a damaged record, without a round', () => {
  const nodes = new Nodes()
  nodes.run(CREATE)
  nodes.run(SETTLE)
  nodes.holdings[0] = { promiseBound: 1 }
  nodes.sent.length = 0
  assert.deepEqual(nodes.run(READ), { kind: 'decided', result: BYTES })
  assert.deepEqual(nodes.sent, ['read', 'read', 'read', 'learn'])
  assert.ok(!isDamage(nodes.holdings[0]))
})

test('an operation does not end while a quorum of the records is damaged', () => {
  const nodes = new Nodes([{ promiseBound: 4 }, EMPTY_RECORD, { promiseBound: 4 }])
  assert.equal(nodes.run(READ), undefined)
  assert.equal(nodes.run(CREATE), undefined)
  assert.deepEqual(nodes.holdings[0], { promiseBound: 4 })
})
