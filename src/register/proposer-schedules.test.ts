/**
 * Many short schedules, drawn by fast-check, of two connectors on one key: delivery in any order, loss,
 * duplicates, suspicion, time over. Whatever happened, the text at the end has each decided append once, each
 * append that was not applied never, and each unknown one at most once; and the answers of no two operations
 * contradict each other.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Connector, ScriptedCluster, type TextOperation } from '../../test/golden/scripted-cluster.ts'
import { FIRST_BALLOT } from './ballot.ts'
import { candidatesAt, highestAccepted, knownChosen } from './known-chosen.ts'
import { recoverBase } from './recovery.ts'
import { RULES, type Rules } from './rules.ts'
import { ABSENT } from './state.ts'

/** What happens next; `pick` chooses one of the possible events. */
type Step = Readonly<{
  kind: 'deliver' | 'drop' | 'repeat' | 'append' | 'read' | 'expire' | 'resume' | 'suspect' | 'trust'
  pick: number
}>

const step: fc.Arbitrary<Step> = fc
  .tuple(
    fc.oneof(
      { weight: 24, arbitrary: fc.constant('deliver' as const) },
      { weight: 3, arbitrary: fc.constantFrom('drop' as const, 'repeat' as const, 'resume' as const) },
      { weight: 3, arbitrary: fc.constantFrom('append' as const, 'read' as const) },
      { weight: 1, arbitrary: fc.constantFrom('expire' as const, 'suspect' as const, 'trust' as const) },
    ),
    fc.nat(1000),
  )
  .map(([kind, pick]) => ({ kind, pick }))

/**
 * All lengths are equally likely: fast-check itself would choose short schedules, in which operations hardly
 * conflict.
 */
const schedule = fc.array(step, { minLength: 20, maxLength: 250, size: 'max' })

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

type Entry = Readonly<{ operation: TextOperation; owner: Connector; letter: string; startedAt: number }>

/**
 * Runs the steps, then lets everything come to rest, and returns the operations and the text that is left.
 */
function play(nodes: number, rules: Rules, steps: readonly Step[]) {
  const cluster = new ScriptedCluster(nodes, rules)
  const connectors = [cluster.connector('ann', 11), cluster.connector('bob', 22, { turn: 1 })]
  const entries: Entry[] = []
  const submit = (owner: Connector, letter: string) => {
    const startedAt = cluster.events.length
    const operation = letter === '' ? owner.read() : owner.append(letter)
    entries.push({ operation, owner, letter, startedAt })
  }
  for (const { kind, pick } of steps) {
    const message = cluster.messages[pick % Math.max(cluster.messages.length, 1)]
    const connector = connectors[pick % connectors.length]!
    const letter = LETTERS[entries.length]
    if (kind === 'append' && letter !== undefined) submit(connector, letter)
    else if (kind === 'read') submit(connector, '')
    else if (kind === 'deliver' && message !== undefined) cluster.deliverOne(message)
    else if (kind === 'drop' && message !== undefined) cluster.dropOne(message)
    else if (kind === 'repeat' && message !== undefined) cluster.send(message)
    else if (kind === 'resume' && connector.isBackingOff) connector.resume()
    else if (kind === 'suspect' || kind === 'trust') connector.suspect(pick % nodes, kind === 'suspect')
    else if (kind === 'expire') {
      const open = entries.find(({ operation }) => operation.outcome === undefined)
      open?.owner.expire(open.operation)
    }
  }
  cluster.finish()
  const last = connectors[0]!.read()
  cluster.finish()
  return { cluster, entries, text: resultOf(last) }
}

function resultOf({ outcome }: TextOperation): string {
  assert.equal(outcome?.kind, 'decided')
  return outcome.result === 'nothing' ? '' : String(outcome.result)
}

/** Each append is in the text as often as its outcome says, and what was read was the text once. */
function checkOutcomes(entries: readonly Entry[], text: string): void {
  for (const { operation, letter } of entries) {
    assert.ok(operation.outcome !== undefined, 'every operation ends')
    const { kind } = operation.outcome
    // The text only grows: whatever was decided is a beginning of it.
    if (kind === 'decided') assert.ok(text.startsWith(resultOf(operation)))
    if (letter === '') continue
    const count = text.split(letter).length - 1
    if (kind === 'decided') {
      assert.equal(count, 1)
      assert.ok(resultOf(operation).endsWith(letter), 'its result is the text right after it')
    } else if (kind === 'not_applied') assert.equal(count, 0)
    else assert.ok(count <= 1)
  }
}

/** An operation that began after another was decided shows the effect of that one. */
function checkOrder(cluster: ScriptedCluster, entries: readonly Entry[]): void {
  const endedAt = new Map<TextOperation, number>()
  for (const [at, event] of cluster.events.entries()) {
    if (event.kind === 'finished') endedAt.set(event.operation, at)
  }
  const decided = entries.filter(({ operation }) => operation.outcome?.kind === 'decided')
  for (const { operation: before } of decided) {
    for (const { operation: after, startedAt } of decided) {
      if (startedAt > endedAt.get(before)!) assert.ok(resultOf(after).startsWith(resultOf(before)))
    }
  }
}

function property(nodes: number, rules: Rules) {
  return fc.property(schedule, (steps) => {
    const { cluster, entries, text } = play(nodes, rules, steps)
    checkOutcomes(entries, text)
    checkOrder(cluster, entries)
  })
}

for (const nodes of [3, 4, 5]) {
  test(`of ${nodes} nodes, in every schedule each outcome is true, in one order for all`, () => {
    fc.assert(property(nodes, RULES), { numRuns: 500 })
  })
}

/** Protocols with one broken rule each, and the number of nodes with which this is found soonest. */
const BROKEN: readonly [claim: string, nodes: number, rules: Rules][] = [
  ['nobody looks into the lineage', 3, { ...RULES, judge: () => ({ kind: 'not_happened' }) }],
  ['only the last attempt is remembered', 3, { ...RULES, remember: (_, attempt) => [attempt] }],
  [
    'a read trusts one vote',
    3,
    {
      ...RULES,
      knownChosen: (records, quorums) =>
        knownChosen(records, { ...quorums, current: { ...quorums.current, fast: 1 } }),
    },
  ],
  ['a round starts from nothing', 3, { ...RULES, recoverBase: () => ABSENT }],
  [
    'recovery takes the first vote, not the one with the most',
    5,
    {
      ...RULES,
      recoverBase: (promises, quorums) =>
        candidatesAt(promises, highestAccepted(promises) ?? FIRST_BALLOT)[0]?.state ??
        recoverBase(promises, quorums),
    },
  ],
]

for (const [claim, nodes, rules] of BROKEN) {
  test(`the schedules find it when ${claim}`, () => {
    assert.ok(fc.check(property(nodes, rules), { numRuns: 3000, seed: 1, endOnFailure: true }).failed)
  })
}
