/** Concurrent clients of one engine, and the search for an order that explains what they saw. */
import assert from 'node:assert/strict'
import { createGroup } from '../../group/create-group.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import type { Command, Group } from '../../group/group.ts'
import type { Outcome, Registry } from '../../group/registry.ts'
import { updateGroup } from '../../group/update-group.ts'
import { type Call, linearize, type Model } from '../../linearizability/linearizability.ts'
import { AUTHOR, NOW, type Subject } from './subject.ts'

/** A group as its incarnation, its version and who wrote it last; `nothing`: there is none. */
type State = string
type Step = Readonly<{ kind: 'read' | 'create' | 'update' | 'delete'; number: number }>
type History = Call<Step, string>[]

const NOTHING = 'nothing'

const MODEL: Model<State, Step, string> = {
  initial: NOTHING,
  isSame: (a, b) => a === b,
  isReading: (_step, seen) => !/^(created|updated|deleted)/.test(seen),
  keyOf: (state) => state,
  apply(state, { kind, number }) {
    if (kind === 'read') return { state, result: `read ${state}` }
    if (kind === 'create') {
      if (state !== NOTHING) return { state, result: 'refused' }
      return { state: `i${number} 1 #${number}`, result: 'created' }
    }
    if (state === NOTHING) return { state, result: 'refused' }
    if (kind === 'delete') return { state: NOTHING, result: `deleted ${state}` }
    const [incarnation, version] = state.split(' ')
    const updated = `${incarnation} ${Number(version) + 1} #${number}`
    return { state: updated, result: `updated ${updated}` }
  },
}

const CLIENTS = 8
const STEPS = 40
const KINDS = ['read', 'update', 'create', 'read', 'update', 'delete', 'read', 'create', 'update'] as const

/** Clients that work on one group at once, until each has done its steps. `stepsEach`: how many. */
export async function workAtOnce(
  registry: Registry,
  groupId: string,
  { clients = CLIENTS, stepsEach = STEPS }: Readonly<{ clients?: number; stepsEach?: number }> = {},
): Promise<History> {
  const history: History = []
  let time = 0
  const work = async (client: number) => {
    for (let count = 0; count < stepsEach; count += 1) {
      const number = client * stepsEach + count + 1
      const call = { kind: KINDS[(number * 7 + client) % KINDS.length]!, number }
      const calledAt = ++time
      const result = await seenBy(registry, groupId, call)
      if (result !== 'not applied') {
        history.push({
          call,
          calledAt,
          returned: result === undefined ? undefined : { at: ++time, result },
        })
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => work(client)))
  return history
}

/** Asserts that an order explains what all clients saw. */
export function assertLinearizable(history: History): void {
  assert.equal(linearize(MODEL, history).kind, 'found', JSON.stringify(history))
}

/** What the client sees. `undefined`: it does not learn how the step ended. */
async function seenBy(registry: Registry, groupId: string, step: Step): Promise<string | undefined> {
  if (step.kind === 'read') {
    const outcome = await registry.read(groupId)
    return outcome.kind === 'done' ? `read ${describe(outcome.value)}` : 'not applied'
  }
  const outcome = await registry.change(groupId, commandOf(groupId, step))
  if (outcome.kind !== 'done') return ended(outcome)
  const decision = outcome.value
  if (decision.kind !== 'changed') return 'refused'
  if (step.kind === 'create') return 'created'
  return `${step.kind}d ${describe(decision.answer)}`
}

function ended({ kind }: Exclude<Outcome<unknown>, { kind: 'done' }>): string | undefined {
  return kind === 'unknown' ? undefined : 'not applied'
}

function commandOf(groupId: string, { kind, number }: Step): Command {
  const description = `#${number}`
  if (kind === 'create')
    return createGroup({ groupId, description, now: NOW, author: AUTHOR, incarnation: `i${number}` })
  if (kind === 'update') return updateGroup({ patch: { description }, now: NOW, author: AUTHOR })
  return deleteGroup({})
}

function describe(group: Group | undefined): State {
  return group === undefined ? NOTHING : `${group.incarnation} ${group.version} ${group.description}`
}

/** The claims about concurrent clients. */
export function testLinearizability(
  claim: (text: string, run: (subject: Subject) => Promise<void>) => void,
): void {
  claim(`what ${CLIENTS} clients see of one group has an order that explains it`, async (subject) => {
    const history = await subject.during(workAtOnce(subject.engine.registry, 'order-of-all'))
    assert.equal(history.length, CLIENTS * STEPS)
    assert.ok(history.every(({ returned }) => returned !== undefined))
    assertLinearizable(history)
  })
}
